"""Whether a pod still has the address that was measured.

A pod that is made anew may get another address, and its old one may be another pod's by then. Where a step has a server
there, that shows; a ping would be answered by whoever has the address now.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

from netbench.model import Command, Endpoint, PodAccess
from netbench.transports.base import Transport, ask

TABLES = ("cat", "/proc/net/fib_trie", "/proc/net/if_inet6")  # the addresses of a network namespace, without any tool
LONGEST = 2**20  # bytes of these tables that are read; a pod has a few addresses, and a thousand routes are 60 KB
# fib_trie has below each address what is known of it, a line each
_LEAF = re.compile(r"^ {0,80}(?:\|-- ([0-9.]{7,15})|(/32 host LOCAL)|[+/][^\n]*)", re.MULTILINE)
_IPV6 = re.compile(r"^([0-9a-f]{32}) ", re.MULTILINE)


def has_moved(endpoint: Endpoint, transport: Transport) -> bool:
    """True where the endpoint is a pod whose kernel does not list its address; False where it lists none of its family.

    Raises TransportError.
    """
    if not isinstance(endpoint.access, PodAccess):
        return False  # a host's address may be a name, or translated on the way
    wanted = ip_address(endpoint.address)

    def missing() -> bool:
        found = {one for one in addresses(ask(transport, Command(TABLES)).stdout) if one.version == wanted.version}
        return bool(found) and wanted not in found

    return missing() and missing()  # twice: it costs a result, and a table is no snapshot while it is read


def addresses(tables: bytes) -> set[IPv4Address | IPv6Address]:
    """The local addresses in what ``TABLES`` prints. Takes time in proportion to it, whatever it is."""
    text = tables[:LONGEST].decode("utf-8", "replace")
    found: set[IPv4Address | IPv6Address] = set()
    leaf = ""
    for line in _LEAF.finditer(text):
        if line[2] and leaf:
            with suppress(ValueError):
                found.add(ip_address(leaf))
        leaf = line[1] or ("" if line[0].lstrip(" ").startswith("+") else leaf)
    return found | {ip_address(bytes.fromhex(digits)) for digits in _IPV6.findall(text)}
