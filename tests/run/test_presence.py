"""Whether a pod still has its address, by what a kernel lists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netbench.errors import UnreachableError
from netbench.model import Cluster, Endpoint, LocalAccess, PodAccess
from netbench.run.presence import TABLES, has_moved
from netbench.transports.fake import FakeTransport, Reply
from netbench.transports.local import LocalTransport

POD = Endpoint("a-pod", "terway", "a", "198.18.1.12", PodAccess(Cluster(), "default", "a-pod", "main"))
# of a pod with one address of each family, which has a route to a neighbour (Linux 6.1, iproute2: ip route add)
FIB = b"""Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 198.18.1.0/24 2 0 2
        |-- 198.18.1.12
           /32 host LOCAL
        |-- 198.18.1.77
           /32 link UNICAST
        |-- 198.18.1.78
           /32 link UNICAST
           /32 host LOCAL
"""
INET6 = (
    b"20010db8000000000000000000000012 02 40 00 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n"
)


@pytest.mark.parametrize(
    ("address", "moved"),
    [
        ("198.18.1.12", False),
        ("198.18.1.13", True),
        ("198.18.1.1", True),
        ("198.18.1.77", True),  # only a way to somebody else
        ("198.18.1.78", False),
        ("2001:db8::12", False),
        ("2001:db8:0:0::12", False),
        ("2001:db8::13", True),
    ],
)
def test_only_a_pods_own_addresses_count(address: str, moved: bool) -> None:
    transport = FakeTransport({TABLES: Reply(FIB + INET6)})
    assert has_moved(replace(POD, address=address), transport) is moved


def test_a_kernel_that_lists_nothing_proves_nothing() -> None:
    denied = Reply(stderr=b"cat: /proc/net/fib_trie: No such file or directory", exit_code=1)
    assert not has_moved(POD, FakeTransport({TABLES: denied}))


def test_a_kernel_that_lists_none_of_the_addresses_family_proves_nothing() -> None:
    assert not has_moved(POD, FakeTransport({TABLES: Reply(INET6)}))


def test_a_host_is_not_asked() -> None:
    assert not has_moved(replace(POD, access=LocalAccess()), FakeTransport())


def test_a_pod_that_cannot_be_asked_is_no_pod_that_is_there() -> None:
    with pytest.raises(UnreachableError):
        has_moved(POD, FakeTransport({TABLES: Reply(error=UnreachableError("no API server"))}))


def test_this_machines_own_tables() -> None:
    assert not has_moved(replace(POD, address="127.0.0.1"), LocalTransport())
    assert has_moved(replace(POD, address="198.18.255.254"), LocalTransport())
