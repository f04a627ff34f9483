"""Text made to cost as much as it can: for each target that reads what an endpoint says, families of any size.

A family is a beginning, and a piece that is repeated. Pieces are what the readers look for, what nearly is it, and what
makes a pattern look again and again: blanks, digits, quotes, brackets that never close, beginnings of real lines.
"""

from __future__ import annotations

from collections.abc import Iterator

ANY = (
    *("a", " ", "\n", "\t", "9", ".", "-", "/", ":", "=", '"', "\\", '\\"', "\x00", "\x85", "\u2028", "é"),
    *(
        "[",
        "{",
        "[],",
        "{},",
        '{"":0},',
        '{"a":',
        '[{"',
        "\n{",
        '\n{"a":[',
        '\n{"a":"',
        "\n{}",
        '"\n',
        '"\\\\',
        "1," * 9 + "\n",
    ),
)
OWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # target -> beginnings, pieces
    "iperf3": (
        (
            "",
            "{",
            '{"error":"',
            '{"error":',
            '{"intervals":[',
            '{"intervals":["',
            '{"a":[\n' * 500,
        ),
        (
            "1,",
            '\n{"intervals":[],',
            '"intervals":[[]],',
            '{\n"start":{},\n"end":{}}\n',
            '{"error":1}\n',
            "error - ",
            "unable to connect to server ",
            "interrupt ",
            "send control ",
            "read from ",
            "cpu  affinity",
        ),
    ),
    "ping": (
        ("", "30 packets transmitted, 0 received, ", "30 packets transmitted, 30 received, \n", "--- a ---\n", "From "),
        (
            "30 packets transmitted, 30 received",
            "\n30 packets transmitted, 29 received,",
            "1 packets transmitted, 1 ",
            " ---",
            "--- ",
            "\n--- a ---\n ",
            "From ",
            "\nFrom a icmp_seq=1",
            "From a icmp_seq=",
            "\nrtt min/avg/max/mdev = 1/1/1",
            "\nrtt min/avg/max/mdev = 1/2/3/4 ms",
            "1/",
            "+9",
            "9 duplicates",
            "invalid ",
        ),
    ),
    "server": (
        (
            "",
            "Accepted connection from ",
            "Accepted connection from 127.0.0.1, port 1\n",
            "Accepted connection from 127.0.0.1, port 1\n      Cookie: ",
        ),
        (
            "Accepted connection from 1.1.1.1, port 1\n",
            "Accepted connection from ",
            "      Cookie: a\n",
            "\n      Cookie: ",
            "[  5] local 1.1.1.1 port 1 connected to 1.1.1.1 port 1\n",
            "\n[  5] local ",
            " connected to ",
            "Test Complete.\n",
            "Test Complete.",
            "\n[",
            "\r",
        ),
    ),
    "snapshots": (
        ("", "/proc/uptime:", "/proc/uptime:1 1\n/proc/stat:cpu "),
        (
            "/proc/uptime:1 1\n",
            "\n/proc/uptime:",
            "/proc/stat:cpu 1 1 1 1 1 1 1 1\n",
            "\n/proc/stat:cpu",
            "/sys/class/net/a/rx_bytes:1\n",
            "/a/cpu.stat:a 1\n",
            "/a/cpu.stat:throttled_time 9\n",
            "9 ",
            ":\n",
        ),
    ),
    "presence": (
        ("", "|-- 1.1.1.1\n", "     |-- "),
        (
            "|-- 1.1.1.1\n",
            "   |-- 1.1.1.1\n      /32 link UNICAST\n",
            "      /32 link UNICAST\n",
            "      /32 host LOCAL\n",
            "/32 host LOCAL",
            " /1 ",
            " /9",
            "+",
            "  +-- 0.0.0.0/0 3 0 5\n",
            "0" * 32 + " \n",
            "0" * 32,
            "\n" + "0" * 31,
        ),
    ),
    "evidence": (
        *(
            (
                "",
                "seen.link=",
                "seen.routes=",
                "seen.proc_routes=",
                "seen.links=",
                "seen.offloads=",
                "seen.address=",
                "seen.index=",
                "nic=eth0\nseen.routes=",
            ),
        ),
        (
            "link/",
            "link/a ",
            "\\ link/",
            "\\    link/a \\ a",
            "\\ a",
            "a_",
            "1: ",
            "1: a",
            " qdisc ",
            " inet ",
            " inet a",
            "; ",
            "eth0 00 00 1 1 1 1 00; ",
            "default via a dev eth0; ",
            "a: on; ",
            "\nkernel=a",
            "\na=",
            "=",
        ),
    ),
}


def families(target: str) -> Iterator[tuple[str, str]]:
    """(beginning, piece) for that target."""
    beginnings, pieces = OWN[target]
    for beginning in beginnings:
        for piece in (*ANY, *pieces):
            yield beginning, piece


def text(beginning: str, piece: str, size: int) -> bytes:
    """About that many bytes."""
    return (beginning + piece * (size // len(piece))).encode()[: size + len(beginning)]
