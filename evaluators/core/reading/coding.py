"""Content codings undone: the plain bytes of a body, at most MAX_INFLATED. Used by reading.

The decoders for brotli and zstd are loaded when first needed: a proxy's container does not have them.
"""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from config.pair import Fields
from evaluators.core.reply import Kind

MAX_INFLATED = 16 << 20
"""Bytes that a compressed body may become: 1 MB of gzip can stand for 1 GiB, and captured answers are far below."""

_MAX_CODINGS = 3
_MAX_MEMBERS = 16
_ZSTD_WINDOW = 23  # 8 MiB, all that a web client must accept (RFC 9659)
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class Body(NamedTuple):
    """A body without its content coding; `trouble` is OK when all of it is there."""

    data: bytes
    trouble: Kind = Kind.OK
    note: str = ""


def uncoded(data: bytes, headers: Fields) -> Body:
    """Undo the content coding (RFC 9110 §8.4), at most to MAX_INFLATED."""
    named = [part.strip().lower() for name, value in headers if name == "content-encoding" for part in value.split(",")]
    codings = [coding for coding in named if coding not in ("", "identity")]
    if not codings:  # the header may not have been captured
        codings = [coding for magic, coding in _MAGIC.items() if data.startswith(magic)]
    body = Body(data)
    for coding in reversed(codings):
        undo = _CODINGS.get(coding)
        if undo is None or len(codings) > _MAX_CODINGS:
            return Body(b"", Kind.MALFORMED, "an unknown content coding")
        try:
            plain_data, complete = undo(body.data)
        except _Damaged:
            return Body(b"", Kind.MALFORMED, f"not readable as {coding}")
        except ImportError:
            return Body(b"", Kind.MALFORMED, f"no decoder for {coding} is installed")
        if len(plain_data) > MAX_INFLATED:
            body = Body(plain_data[:MAX_INFLATED], Kind.TRUNCATED, f"inflates beyond {MAX_INFLATED >> 20} MiB")
        elif not complete:
            body = Body(plain_data, Kind.TRUNCATED, f"the {coding} data is cut off")
        else:
            body = body._replace(data=plain_data)
    return body


class _Inflater(Protocol):
    """What zlib and zstd have in common."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Damaged(Exception):
    """The bytes are not of this coding."""


def _gunzip(data: bytes) -> tuple[bytes, bool]:
    return _inflate(data, lambda: zlib.decompressobj(31), zlib.error)


def _inflate_either(data: bytes) -> tuple[bytes, bool]:
    """The name means zlib's format, yet some servers send the bare stream (RFC 9110 §8.4.1.2)."""
    try:
        return _inflate(data, lambda: zlib.decompressobj(15), zlib.error)
    except _Damaged:
        return _inflate(data, lambda: zlib.decompressobj(-15), zlib.error)


def _unzstd(data: bytes) -> tuple[bytes, bool]:
    zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    return _inflate(data, lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError)


def _unbrotli(data: bytes) -> tuple[bytes, bool]:
    brotli = importlib.import_module("brotli")
    decoder = brotli.Decompressor()
    if not hasattr(decoder, "can_accept_more_data"):
        raise ImportError("brotli below 1.2 cannot be told when to stop")
    try:
        return decoder.process(data, output_buffer_limit=MAX_INFLATED + 1), decoder.is_finished()
    except brotli.error as error:
        raise _Damaged from error


def _inflate(data: bytes, new: Callable[[], Any], damage: type[Exception]) -> tuple[bytes, bool]:
    """The data, one byte more than allowed at most, and whether it was complete. A body may have several members."""
    found = b""
    for _ in range(_MAX_MEMBERS):
        stream: _Inflater = new()
        try:
            found += stream.decompress(data, MAX_INFLATED + 1 - len(found))
        except damage as error:
            raise _Damaged from error
        data = stream.unused_data
        if not stream.eof or not data or len(found) > MAX_INFLATED:
            return found, stream.eof
    return found, False


_CODINGS: Mapping[str, Callable[[bytes], tuple[bytes, bool]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate_either,
    "br": _unbrotli,
    "zstd": _unzstd,
}
