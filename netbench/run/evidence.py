"""What an endpoint's own tools print, read into evidence by name, whichever tools it has (iproute2, BusyBox, none).

Texts come from the endpoint, which may be anybody's image: what is kept is printable, on one line and cut.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from netbench.inventory.words import said
from netbench.model import Endpoint, PlannedEndpoint, PodAccess

PREFIX = "seen."  # of the facts script's keys that are evidence
LONGEST = 600  # characters of a piece of evidence
NO_GATEWAY = "none"
ELSEWHERE = "not in its node"

_NAME = re.compile(r"\d{1,10}: ([^ :]+):")
_MAC = re.compile(r"link/[a-z0-9_]{1,20} ([0-9a-f:]{17})")
_QDISC = re.compile(r" qdisc (\S+)")
_TYPE = re.compile(r"\\ +link/[^\\]*\\ +([a-z][a-z0-9_]*) ")  # the kind's own part follows that of the link layer
_ADDRESS = re.compile(r" inet6? (\S+) ")


def split(found: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the facts script printed, as facts and as raw evidence (without the prefix)."""
    facts = {key: value for key, value in found.items() if not key.startswith(PREFIX)}
    return facts, {key.removeprefix(PREFIX): value for key, value in found.items() if key.startswith(PREFIX)}


def read(
    planned: PlannedEndpoint, endpoint: Endpoint, facts: Mapping[str, str], seen: Mapping[str, str], peer: str
) -> dict[str, str]:
    """Evidence by name, as inventories/README.md lists it, for what could be found out. ``peer``: see ``peers``."""
    link = seen.get("link", "")
    routes = seen.get("routes") or "; ".join(_proc_routes(seen.get("proc_routes", "")))
    device = facts.get("nic", "")
    address = _first(_ADDRESS, seen.get("address", ""))
    found = {
        "node": planned.node,
        "zone": planned.zone,
        "interface": _interface(link, device, seen.get("index", "")),
        "link type": _link_type(link, seen),
        "mac": _first(_MAC, link) or facts.get("mac", ""),
        "mtu": facts.get("mtu", ""),
        "peer": peer,
        "qdisc": _first(_QDISC, link),
        "qdiscs": seen.get("qdiscs", ""),
        "address": address,
        "prefix": f"/{bits}" if (bits := address.partition("/")[2]) else "",
        "routes": routes,
        "gateway": _gateway(routes, device),
        "offloads": _offloads(seen.get("offloads", "")),
        **endpoint.declared,
    }
    return {name: text for name, value in found.items() if (text := said(value, LONGEST))}


def peers(endpoints: Mapping[str, Endpoint], seen: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """For each pod whose node was looked at too: the node's link that its interface ends in, or ELSEWHERE.

    Two ends of a link name each other by index, each counted in its own namespace. Where the numbers of two pods of a
    node fit one link, neither is told.
    """
    ends: dict[tuple[str, str], str] = {}  # (node, indexes of a link and of its other end) -> what it is
    for name, endpoint in endpoints.items():
        if not _is_pod(endpoint):
            for link in seen.get(name, {}).get("links", "").split("; "):
                device, _, indexes = link.partition(" ")
                ends[endpoint.node, indexes] = f"link {device} of {name}"
    looked = {node for node, indexes in ends if indexes}
    found: dict[str, str] = {}
    for name, endpoint in endpoints.items():
        own, _, other = seen.get(name, {}).get("index", "").partition(" ")
        if _is_pod(endpoint) and endpoint.node in looked and own != other and own and other:
            found[name] = ends.get((endpoint.node, f"{other} {own}"), ELSEWHERE)
    claims = Counter(found.values())
    return {name: peer for name, peer in found.items() if peer == ELSEWHERE or claims[peer] == 1}


def _is_pod(endpoint: Endpoint) -> bool:
    return isinstance(endpoint.access, PodAccess)


def _interface(link: str, device: str, index: str) -> str:
    """As iproute2 writes it: "eth0@if5" is a link whose other end has the index 5 in another namespace."""
    if name := _first(_NAME, link):
        return name
    own, _, other = index.partition(" ")
    if not (device and own and other):
        return ""
    return device if own == other else f"{device}@if{other}"


def _link_type(link: str, seen: Mapping[str, str]) -> str:
    """veth, ipvlan, vlan, ...; "device" for what hangs on a bus; "" where it is not known."""
    if seen.get("parent") or " parentbus " in link:
        return "device"
    return _first(_TYPE, f"{link} ") or seen.get("devtype", "")


def _gateway(routes: str, device: str) -> str:
    """Of the default route through that device; NO_GATEWAY where there are routes but no such one."""
    if not routes:
        return ""
    for route in routes.split("; "):
        words = route.split()
        if words[:1] == ["default"] and "via" in words[:-1] and device in words:
            return words[words.index("via") + 1]
    return NO_GATEWAY


def _proc_routes(text: str) -> Iterable[str]:
    """/proc/net/route as ``ip route`` says it: IPv4, in the order of the machine's bytes (little-endian)."""
    for row in text.split("; "):
        cells = row.split()
        if len(cells) < 8:
            continue
        try:
            destination, gateway, mask = (bytes.fromhex(cells[column])[::-1] for column in (1, 2, 7))
        except ValueError:
            continue
        bits = bin(int.from_bytes(mask, "big")).count("1")
        where = f"{_dotted(destination)}/{bits}" if bits else "default"
        yield f"{where}{f' via {_dotted(gateway)}' if any(gateway) else ''} dev {cells[0]}"


def _dotted(address: bytes) -> str:
    return ".".join(str(byte) for byte in address)


def _offloads(text: str) -> str:
    """Those that are on."""
    states = [line.partition(": ") for line in text.split("; ")]
    return ", ".join(name for name, _, state in states if state == "on")


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
