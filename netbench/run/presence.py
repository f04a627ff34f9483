"""Whether a pod still has the address that was measured.

A pod that is made anew may get another address, and its old one may be another pod's by then. Where a step has a server
there, that shows; a ping would be answered by whoever has the address now.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from netbench.model import Command, Endpoint, PodAccess
from netbench.transports.base import Transport, ask

TABLES = ("cat", "/proc/net/fib_trie", "/proc/net/if_inet6")  # the addresses of a network namespace, without any tool
# fib_trie has below each address what is known of it, a line each
_IPV4 = re.compile(r"\|-- ([0-9.]{7,15})\n(?: +/\d+ [^\n]*\n)*? +/32 host LOCAL")
_IPV6 = re.compile(r"^([0-9a-f]{32}) ", re.MULTILINE)


def has_moved(endpoint: Endpoint, transport: Transport) -> bool:
    """True where the endpoint is a pod whose kernel does not list its address; False, too, where it lists none.

    Raises TransportError.
    """
    if not isinstance(endpoint.access, PodAccess):
        return False  # a host's address may be a name, or translated on the way
    tables = ask(transport, Command(TABLES)).text
    found = {ip_address(text) for text in _IPV4.findall(tables)}
    found |= {ip_address(bytes.fromhex(text)) for text in _IPV6.findall(tables)}
    return bool(found) and ip_address(endpoint.address) not in found
