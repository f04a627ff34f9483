"""SPDY/3.1 framing, as much as remote commands use: bytes -> frames, frames -> bytes; no input or output.

The protocol: "SPDY Protocol - Draft 3.1", chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1. Its flow control is
left out, as kubectl's and the API server's implementations leave it out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

# The dictionary header blocks are compressed with (section 2.6.10.1): words with their lengths, then running text.
_WORDS = (
    "options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,"
    "accept-ranges,age,allow,authorization,cache-control,connection,content-base,content-encoding,"
    "content-language,content-length,content-location,content-md5,content-range,content-type,date,etag,"
    "expect,expires,from,host,if-match,if-modified-since,if-none-match,if-range,if-unmodified-since,"
    "last-modified,location,max-forwards,pragma,proxy-authenticate,proxy-authorization,range,referer,"
    "retry-after,server,te,trailer,transfer-encoding,upgrade,user-agent,vary,via,warning,"
    "www-authenticate,method,get,status,200 OK,version,HTTP/1.1,url,public,set-cookie,keep-alive,origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in _WORDS.split(",")) + _TEXT.encode()

CONTROL = 0x80030000  # the control bit and the version
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY, HEADERS = 1, 2, 3, 6, 7, 8
FIN = 0x01
LARGEST = 1 << 20  # bytes of a control frame's payload; ours is a handful of headers


class SpdyError(Exception):
    """What arrived is not SPDY/3.1."""


@dataclass(frozen=True)
class Frame:
    """One frame: a control frame's type, or 0 for data. ``number`` is a stream's, or a ping's."""

    type: int
    number: int
    fin: bool = False
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Framer:
    """Both directions of one connection; header compression remembers what went before."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with these bytes; of kinds that do not matter here, none. Raises SpdyError."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= 8:
            word, length = struct.unpack_from(">II", self._buffer)
            flags, length = length >> 24, length & 0xFFFFFF
            if word == 0:
                raise SpdyError("data on stream 0, which there is not")
            if word & 0x80000000 and ((word & 0xFFFF0000) != CONTROL or length > LARGEST):
                raise SpdyError(f"a control frame of version {word >> 16 & 0x7FFF} with {length} bytes")
            if len(self._buffer) < 8 + length:
                break
            payload = bytes(self._buffer[8 : 8 + length])
            del self._buffer[: 8 + length]
            if not word & 0x80000000:
                frames.append(Frame(0, word, bool(flags & FIN), payload))
            elif frame := self._control(word & 0xFFFF, flags, payload):
                frames.append(frame)
        return frames

    def data(self, stream: int, payload: bytes, *, fin: bool = False) -> bytes:
        """A data frame."""
        return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(payload)) + payload

    def control(self, kind: int, number: int, flags: int = 0, payload: bytes = b"") -> bytes:
        """A control frame that begins with a stream's or a ping's number."""
        return struct.pack(">III", CONTROL | kind, flags << 24 | 4 + len(payload), number) + payload

    def headers(self, headers: Mapping[str, str]) -> bytes:
        """A compressed header block."""
        block = bytearray(struct.pack(">I", len(headers)))
        for pair in headers.items():
            for text in pair:
                block += struct.pack(">I", len(text)) + text.encode("latin-1")
        return self._deflate.compress(bytes(block)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def _control(self, kind: int, flags: int, payload: bytes) -> Frame | None:
        start = {SYN_STREAM: 10, SYN_REPLY: 4, HEADERS: 4}.get(kind)
        if kind not in (SYN_STREAM, SYN_REPLY, HEADERS, RST_STREAM, PING, GOAWAY):
            return None
        if len(payload) < (start or 4):
            raise SpdyError(f"a control frame of type {kind} with {len(payload)} bytes")
        number = struct.unpack_from(">I", payload)[0] & (0xFFFFFFFF if kind == PING else 0x7FFFFFFF)
        headers = {} if start is None else self._headers(payload[start:])
        return Frame(kind, number, bool(flags & FIN) and start is not None, headers=headers)

    def _headers(self, compressed: bytes) -> dict[str, str]:
        try:
            block = self._inflate.decompress(compressed, LARGEST)
            (count,) = struct.unpack_from(">I", block)
            texts, at = [], 4
            for _ in range(2 * count):
                (length,) = struct.unpack_from(">I", block, at)
                texts.append(block[at + 4 : at + 4 + length].decode("latin-1"))
                at += 4 + length
        except (zlib.error, struct.error) as error:
            raise SpdyError(f"a header block that cannot be read: {error}") from error
        return dict(zip(texts[::2], texts[1::2], strict=True))
