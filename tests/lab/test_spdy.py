import struct
import zlib

import pytest

from netbench.lab.api.spdy import (
    DICTIONARY,
    FIN,
    GOAWAY,
    HEADERS,
    PING,
    RST_STREAM,
    SYN_REPLY,
    SYN_STREAM,
    Frame,
    Framer,
    SpdyError,
)


def syn_stream(framer: Framer, stream: int, headers: dict[str, str], flags: int = 0) -> bytes:
    return framer.control(SYN_STREAM, stream, flags, bytes(6) + framer.headers(headers))


def test_the_dictionary_is_that_of_the_specification() -> None:
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2  # as it stands in every SPDY/3 connection's first header block


def test_header_blocks_are_compressed_as_one_stream() -> None:
    client, server = Framer(), Framer()
    first = syn_stream(client, 1, {"streamtype": "error", "x": "é"})
    second = syn_stream(client, 3, {"streamtype": "stdin"}, FIN)
    assert server.feed(first + second) == [
        Frame(SYN_STREAM, 1, headers={"streamtype": "error", "x": "é"}),
        Frame(SYN_STREAM, 3, fin=True, headers={"streamtype": "stdin"}),
    ]
    reply = server.control(SYN_REPLY, 1, 0, server.headers({}))
    assert client.feed(reply) == [Frame(SYN_REPLY, 1)]


def test_frames_come_in_any_pieces() -> None:
    client, server = Framer(), Framer()
    sent = syn_stream(client, 5, {"streamtype": "stdin"}) + client.data(5, b"abc" * 100) + client.data(5, b"", fin=True)
    got = [frame for at in range(len(sent)) for frame in server.feed(sent[at : at + 1])]
    assert [(f.type, f.number, f.fin, f.data) for f in got] == [
        (SYN_STREAM, 5, False, b""),
        (0, 5, False, b"abc" * 100),
        (0, 5, True, b""),
    ]


def test_a_header_block_that_does_not_matter_still_counts_for_compression() -> None:
    client, server = Framer(), Framer()
    more = client.control(HEADERS, 1, 0, client.headers({"a": "b"}))
    after = syn_stream(client, 3, {"streamtype": "stdout"})
    assert [f.type for f in server.feed(more + after)] == [HEADERS, SYN_STREAM]


def test_small_control_frames() -> None:
    framer = Framer()
    settings = struct.pack(">III", 0x80030004, 4, 0)
    rst = framer.control(RST_STREAM, 7, 0, struct.pack(">I", 5))
    goaway = framer.control(GOAWAY, 7, 0, bytes(4))
    got = framer.feed(settings + rst + goaway + framer.control(PING, 0xFFFFFFFF))
    assert got == [Frame(RST_STREAM, 7), Frame(GOAWAY, 7), Frame(PING, 0xFFFFFFFF)]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">II", 0x80020001, 10) + bytes(10),  # SPDY/2
        struct.pack(">II", 0x80030001, 0xFFFFFF),  # larger than any header block
        struct.pack(">II", 0x80030001, 4) + bytes(4),  # too short for a SYN_STREAM
        struct.pack(">III", 0x80030002, 8, 1) + b"junk",  # a header block that is not compressed
        bytes(8),  # data on no stream
    ],
)
def test_what_is_not_spdy_is_refused(data: bytes) -> None:
    with pytest.raises(SpdyError):
        Framer().feed(data)
