"""What a hostile pod answers. It sees the program on stdin, and so knows the token of the call."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from itertools import chain, repeat

PIECE = 1 << 16
MEGABYTE = 1 << 20

Attack = Callable[[str, bytes], int]


def say(*pieces: bytes) -> int:
    """All of it, as fast as it is taken. BrokenPipeError where nobody takes it any more."""
    return pour(iter(pieces))


def pour(pieces: Iterator[bytes]) -> int:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(1, rest) :]
    return 0


def hang(*pieces: bytes) -> int:
    """Say that, and then nothing, until whoever waits has had enough."""
    say(*pieces)
    signal.alarm(600)
    signal.pause()
    return 0


def line(token: str, text: str, kind: str = "l") -> bytes:
    return f"\n{token} {kind} {text}\n".encode()


def frame(token: str, out: bytes, host: bytes = b"", status: str = "0") -> bytes:
    """The whole answer of a job that ended with that on stdout."""
    ready, end = line(token, "ready"), line(token, "end")
    blob = line(token, str(len(out) + len(host)), "d") + out + host
    return ready + line(token, f"frame {status} {len(out)} 0 {len(host)}") + blob + end + line(token, "0 3", "e")


def many(token: str, text: str, count: int) -> bytes:
    return line(token, text) * count + line(token, f"0 {count}", "e")


ZEROS = bytes(PIECE)
GREETING = b"netbench-42\n"
FRAME = "frame 0 999999999999999 0 0"

FLOODS: dict[str, Attack] = {
    "zeros": lambda token, saved: pour(repeat(ZEROS)),
    "zeros-on-stderr": lambda token, saved: flood_errors(),
    "endless-line": lambda token, saved: pour(repeat(b"x" * PIECE)),
    "endless-line-marked": lambda token, saved: pour(chain([f"\n{token} l ".encode()], repeat(b"x" * PIECE))),
    "endless-lines": lambda token, saved: pour(repeat(line(token, "beat 1.0 1 1") * 1000)),
    "endless-beats": lambda token, saved: pour(
        chain([line(token, "ready")], repeat(line(token, "beat 1.0 1 1", "n") * 1000))
    ),
    "endless-markers": lambda token, saved: pour(repeat(f"\n{token} ".encode() * 1000)),
    "endless-empty-blobs": lambda token, saved: pour(repeat(line(token, "0", "d") * 1000)),
    "endless-newlines": lambda token, saved: pour(repeat(b"\n" * PIECE)),
    "endless-greetings": lambda token, saved: pour(repeat(GREETING * 1000)),
    "endless-frames": lambda token, saved: pour(repeat(line(token, "frame 0 9 9 9") * 1000)),
    "raw-zeros": lambda token, saved: pour(chain([f"\n{token} o\n".encode()], repeat(ZEROS))),
    "blob-zeros": lambda token, saved: pour(
        chain([line(token, FRAME), line(token, "999999999999", "d")], repeat(ZEROS))
    ),
    "many-blobs": lambda token, saved: pour(repeat(line(token, str(PIECE), "d") + ZEROS)),
    "byte-by-byte": lambda token, saved: pour(repeat(b"\n")),
}
HANGS: dict[str, Attack] = {
    "before-greeting": lambda token, saved: hang(),
    "after-greeting": lambda token, saved: hang(GREETING),
    "after-begin": lambda token, saved: hang(GREETING, line(token, "ready")),
    "mid-line": lambda token, saved: hang(GREETING, f"\n{token} l rea".encode()),
    "mid-blob": lambda token, saved: hang(
        line(token, "ready"), line(token, "frame 0 500000 0 0"), line(token, "500000", "d"), ZEROS
    ),
    "before-end": lambda token, saved: hang(frame(token, b"x").rpartition(b"\n\n")[0]),
}
LIES: dict[str, Attack] = {
    "size-of-frame": lambda token, saved: say(
        line(token, "ready"), line(token, FRAME), line(token, "end"), line(token, "0 3", "e")
    ),
    "size-of-blob": lambda token, saved: say(line(token, "999999999999", "d")),
    "count-of-lines": lambda token, saved: say(line(token, "ready"), line(token, "0 999999999", "e")),
    "negative": lambda token, saved: say(
        line(token, "frame 0 -1 0 0"), line(token, "-5", "d"), line(token, "0 1", "e")
    ),
    "exit-code": lambda token, saved: say(line(token, "999 -", "e")),
    "nothing": lambda token, saved: 0,
    "other-token": lambda token, saved: say(frame("0" * 32, b"x")),
    "replayed": lambda token, saved: say(saved),
    "replayed-with-token": lambda token, saved: say(
        saved.replace(saved[saved.find(b" n ") - 32 : saved.find(b" n ")] or b"?", token.encode())
    ),
    "many-leases": lambda token, saved: say(many(token, f"lease live 1 9999999999 0 {'a' * 64} /tmp somebody", 6000)),
    "lease-of-ages": lambda token, saved: say(
        many(token, "lease busy 9999999999 9999999999 0 abc /tmp \x1b[2Jroot", 1)
    ),
    "many-others": lambda token, saved: say(many(token, "other 9999999999 /tmp ab", 20000)),
    "many-facts": lambda token, saved: say(
        b"".join(line(token, f"k{n}=v") for n in range(20000)), line(token, "0 20000", "e")
    ),
    "much-evidence": lambda token, saved: say(
        b"".join(line(token, f"seen.{n}={'1: lo: <UP> mtu 9 ' * 1500}") for n in range(30)), line(token, "0 30", "e")
    ),
    "lost": lambda token, saved: say(many(token, "lost", 1)),
    "gone": lambda token, saved: say(many(token, "gone", 1)),
    "uptime": lambda token, saved: say(
        line(token, "ready"),
        *(line(token, f"beat 99999999999999{n % 10} 9 9", "n") for n in range(1000)),
        frame(token, b""),
    ),
}


def _numbers(text: str) -> bytes:
    return (text * (1_000_000 // len(text))).encode()


OUTPUTS: dict[str, bytes] = {
    "brackets": b"[" * 1_000_000,
    "braces": b'{"a":' * 200_000,
    "unended-objects": b'{"a":[\n' * 900 + b"1," * 490_000,
    "opened-lines": b"{\n" * 500_000,
    "numbers": b'{"intervals": [' + _numbers("1,") + b"1]}",
    "digits": b'{"end": ' + b"9" * 1_000_000 + b"}",
    "exponents": b'{"end": [' + _numbers("1e308,") + b"1e999]}",
    "objects": b'{"start": {}, "intervals": [' + _numbers('{"sum": {}},') + b'{}], "end": {}}',
    "strings": b'{"start": {"version": "' + b"\\u0000" * 160_000 + b'"}}',
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(80_000)) + b"}",
    "blanks": b" " * 1_000_000,
    "lines": _numbers("64 bytes from 1.1.1.1: icmp_seq=1 ttl=1 time=1 ms\n"),
    "ping-digits": b"1 packets transmitted, 1 received, 0% packet loss, time 0ms\nrtt min/avg/max/mdev = "
    + b"9" * 900_000,
    "ping-slashes": b"rtt min/avg/max/mdev = " + b"1/" * 450_000,
}
HOSTS = {
    "snapshots": _numbers("/proc/stat:cpu0 1 2 3 4 5 6 7 8 9 10\n")[: 500 << 10],
    "snapshot-digits": b"/proc/uptime:" + b"9" * (500 << 10),
}


def flood_errors() -> int:
    while True:
        os.write(2, ZEROS)


def _output(data: bytes) -> Attack:
    return lambda token, saved: say(frame(token, data))


def _host(data: bytes) -> Attack:
    return lambda token, saved: say(frame(token, b"x", data))


ATTACKS: dict[str, Attack] = {
    **FLOODS,
    **HANGS,
    **LIES,
    **{f"output-{name}": _output(data) for name, data in OUTPUTS.items()},
    **{name: _host(data) for name, data in HOSTS.items()},
}
