"""Content codings: undone, capped, and every way in which they can be broken."""

import sys
import zlib
from types import SimpleNamespace

import brotli
import pytest

from evaluators.core.reading.coding import MAX_INFLATED, uncoded
from evaluators.core.reply import Kind

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"data: " + b"Hello, hello, hello. " * 50


def packed(data, wbits):
    stream = zlib.compressobj(wbits=wbits)
    return stream.compress(data) + stream.flush()


def gzip(data):
    return packed(data, 31)


def undone(data, coding=""):
    return uncoded(data, (("content-type", "x"), ("content-encoding", coding)) if coding else ())


CODINGS = [
    pytest.param("", lambda data: data, id="none"),
    pytest.param("identity", lambda data: data, id="identity"),
    pytest.param("gzip", gzip, id="gzip"),
    pytest.param("X-GZIP", gzip, id="x-gzip"),
    pytest.param("deflate", lambda data: packed(data, 15), id="deflate"),
    pytest.param("deflate", lambda data: packed(data, -15), id="deflate without its frame"),
    pytest.param("br", brotli.compress, id="br"),
    pytest.param("zstd", zstd.compress, id="zstd"),
    pytest.param("gzip", lambda data: gzip(data[:99]) + gzip(data[99:]), id="gzip in two members"),
    pytest.param("zstd", lambda data: zstd.compress(data[:99]) + zstd.compress(data[99:]), id="zstd in two frames"),
    pytest.param("gzip, br", lambda data: brotli.compress(gzip(data)), id="one over the other"),
    pytest.param("", gzip, id="gzip without a header"),
    pytest.param("", zstd.compress, id="zstd without a header"),
]


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
def test_whole(coding, encode):
    """Each coding gives back what went in."""
    assert undone(encode(TEXT), coding) == (TEXT, Kind.OK, "")


CUT = [
    pytest.param("gzip", gzip, id="gzip"),
    pytest.param("deflate", lambda data: packed(data, 15), id="deflate"),
    pytest.param("br", lambda data: brotli.compress(data, quality=1), id="br"),
    pytest.param("zstd", zstd.compress, id="zstd"),
]


@pytest.mark.parametrize(("coding", "encode"), CUT)
def test_cut_off(coding, encode):
    """A body cut anywhere gives its beginning and says that it is cut off."""
    data = encode(TEXT)
    for place in range(1, len(data)):
        body = undone(data[:place], coding)
        assert TEXT.startswith(body.data)
        assert body[1:] == (Kind.TRUNCATED, f"the {coding} data is cut off")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_damaged(coding):
    """Bytes that are not of the coding are malformed."""
    assert undone(b"\xff\xfe not compressed at all", coding) == (b"", Kind.MALFORMED, f"not readable as {coding}")


@pytest.mark.parametrize(("coding", "encode"), CUT)
def test_bombs(coding, encode):
    """What inflates beyond the limit is cut there, whatever is left."""
    body = undone(encode(bytes(MAX_INFLATED + 5_000_000)), coding)
    assert (len(body.data), body.trouble, body.note) == (MAX_INFLATED, Kind.TRUNCATED, "inflates beyond 16 MiB")
    assert undone(encode(bytes(MAX_INFLATED)), coding).trouble is Kind.OK


def test_bomb_of_many_members():
    """Members count together, and there may not be many of them."""
    whole = gzip(bytes(MAX_INFLATED // 2 + 1))
    assert undone(whole * 3, "gzip").note == "inflates beyond 16 MiB"
    assert undone(gzip(b"x") * 17, "gzip") == (b"x" * 16, Kind.TRUNCATED, "the gzip data is cut off")


def test_window_too_large():
    """A zstd window above what web clients must accept is refused before memory is taken for it."""
    stream = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    data = stream.compress(bytes(100)) + stream.flush()
    assert undone(data, "zstd") == (b"", Kind.MALFORMED, "not readable as zstd")


def test_unknown():
    """A coding nobody knows, or too many of them, is not guessed at."""
    note = (b"", Kind.MALFORMED, "an unknown content coding")
    assert undone(b"x", "compress") == note
    assert undone(b"x", "gzip, gzip, gzip, gzip") == note


@pytest.mark.parametrize("library", [None, SimpleNamespace(Decompressor=object)], ids=["absent", "too old"])
def test_decoder_not_installed(monkeypatch, library):
    """Without its library, or with one that cannot be limited, a coding is not readable, and that is said."""
    monkeypatch.setitem(sys.modules, "brotli", library)
    assert undone(b"x", "br") == (b"", Kind.MALFORMED, "no decoder for br is installed")
