"""Server-sent events: the standard's own rules, and any bytes cut anywhere."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.sse import MAX_EVENT, Decoder, Event

CUTTINGS = 20_000


def message(data, kind="message", last=""):
    return Event(kind, data, last)


# Rules of the WHATWG standard §9.2.5-9.2.6, each as: bytes, events, whether something is left pending.
CASES = [
    pytest.param(b"data: a\n\n", [message("a")], False, id="LF"),
    pytest.param(b"data: a\r\r", [message("a")], False, id="CR"),
    pytest.param(b"data: a\r\n\r\n", [message("a")], False, id="CRLF"),
    pytest.param(b"data: a\ndata: b\rdata: c\r\n\ndata: d\n\r", [message("a\nb\nc"), message("d")], False, id="mix"),
    pytest.param(b"\r\n\r\n\n\rdata: a\n\n", [message("a")], False, id="blank lines first"),
    pytest.param(b"data:a\n\n", [message("a")], False, id="no space"),
    pytest.param(b"data:  a \n\n", [message(" a ")], False, id="one space is taken, no more"),
    pytest.param(b"data\n\n", [message("")], False, id="no colon"),
    pytest.param(b"data\ndata\n\n", [message("\n")], False, id="no colon twice"),
    pytest.param(b"data:\n\n", [message("")], False, id="empty data"),
    pytest.param(b"data: a:b\n\n", [message("a:b")], False, id="colon in the value"),
    pytest.param(b": ping\n\n:\n\ndata: a\n: in between\ndata: b\n\n", [message("a\nb")], False, id="comments"),
    pytest.param(b"event: e\ndata: a\n\ndata: b\n\n", [message("a", "e"), message("b")], False, id="type, once"),
    pytest.param(b"event: e\nevent:\ndata: a\n\n", [message("a")], False, id="type taken back"),
    pytest.param(b"event: e\n\ndata: a\n\n", [message("a")], False, id="no data, no event"),
    pytest.param(
        b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        [message("a", last="1"), message("b", last="1"), message("c")],
        False,
        id="id stays until taken back",
    ),
    pytest.param(b"id: 1\nid: 2\0\ndata: a\n\n", [message("a", last="1")], False, id="NUL in id"),
    pytest.param(b"data: a\0b\n\n", [message("a\0b")], False, id="NUL in data"),
    pytest.param(b"retry: 10\nfoo: bar\nDATA: x\n data: x\ndata: a\n\n", [message("a")], False, id="unknown fields"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [message("a")], False, id="BOM at the start"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", [], False, id="two BOMs"),
    pytest.param(b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [message("a")], False, id="BOM later"),
    pytest.param("data: grüße 🗼\n\n".encode(), [message("grüße 🗼")], False, id="UTF-8"),
    pytest.param(b"data: a\xffb\xf0\x9f\n\n", [message("a\ufffdb\ufffd")], False, id="invalid UTF-8"),
    pytest.param("data: a\u2028b\u2029c\x0bd\x0ce\x85\n\n".encode(), [message("a\u2028b\u2029c\x0bd\x0ce\x85")], False,
                 id="separators that end no line"),
    pytest.param(b"data:[DONE]\n\n", [message("[DONE]")], False, id="the closing word"),
    pytest.param(b"data: a\n\ndata: b\n", [message("a")], True, id="no closing blank line"),
    pytest.param(b"data: a\n\ndata: b", [message("a")], True, id="cut inside a line"),
    pytest.param(b"data: a\n\ndata: b\n\r", [message("a"), message("b")], False, id="closed by a last CR"),
    pytest.param(b"data: a\n\n:", [message("a")], True, id="cut inside a comment"),
    pytest.param(b"data: a\n\n: ping\n", [message("a")], False, id="a comment is no event"),
    pytest.param(b"\xef\xbb", [], True, id="cut inside a BOM"),
    pytest.param(b"", [], False, id="nothing"),
]  # fmt: skip


def fed(chunks, limit=MAX_EVENT):
    """What a decoder says of a stream in pieces: events, pending, overflowed."""
    decoder = Decoder(limit)
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.flush()
    return events, decoder.pending, decoder.overflowed


def cut(body, marks):
    """The body cut at the marks, some pieces empty."""
    marks = sorted(marks)
    return [body[start:end] for start, end in zip([0, *marks], [*marks, len(body)], strict=True)]


@pytest.mark.parametrize(("body", "events", "pending"), CASES)
def test_rules(body, events, pending):
    """Each rule of the standard holds, whole, byte by byte and cut in two anywhere."""
    assert fed([body]) == (events, pending, False)
    assert fed([body[place : place + 1] for place in range(len(body))]) == (events, pending, False)
    for place in range(len(body)):
        assert fed([body[:place], b"", body[place:]]) == (events, pending, False)


@pytest.mark.parametrize(("body", "events", "pending"), CASES)
def test_trailing_bytes(body, events, pending):
    """What follows a complete stream is read as its continuation, never as part of what was said."""
    if not pending:
        assert fed([body + b"\ndata: more\n\n"])[0][: len(events)] == events


def test_events_come_as_soon_as_they_are_complete():
    """An event is there with its blank line, also when a CR leaves open whether a LF follows."""
    decoder = Decoder()
    assert decoder.feed(b"data: a\r\n\r") == [message("a")]
    assert decoder.feed(b"\ndata: b\r\n") == []
    assert decoder.pending
    assert decoder.feed(b"\r\n") == [message("b")]
    assert not decoder.pending


LIMITS = [
    pytest.param(b"data: 12345678\n\ndata: a\n\n", [message("a")], id="long line"),
    pytest.param(b": 1234567890123\n\ndata: a\n\n", [message("a")], id="long comment"),
    pytest.param(b"data: 123\ndata: 456\ndata: 789\n\ndata: a\n\n", [message("a")], id="many lines"),
    pytest.param(b"data: b\ndata: 123456789012\ndata: c\n\ndata: a\n\n", [message("a")], id="long line among others"),
    pytest.param(b"\xef\xbb\xbfdata: 12345678\n\ndata: a\n\n", [message("a")], id="long first line"),
]


@pytest.mark.parametrize(("body", "events"), LIMITS)
def test_limit(body, events):
    """An event above the limit is dropped and said to be; the next one is read; the cut makes no difference."""
    assert fed([body], limit=10) == (events, False, True)
    assert fed([body[place : place + 1] for place in range(len(body))], limit=10) == (events, False, True)
    for place in range(len(body)):
        assert fed([body[:place], body[place:]], limit=10) == (events, False, True)


def test_a_line_at_the_limit_is_read():
    """The limit itself is allowed."""
    assert fed([b"data: 1234\n\n"], limit=10) == ([message("1234")], False, False)


def test_ten_megabytes_in_one_line():
    """A picture in one line is read, also in small pieces, in linear time."""
    body = b"data: " + b"x" * 10_000_000 + b"\n\n"
    events, pending, overflowed = fed([body[place : place + 4096] for place in range(0, len(body), 4096)])
    assert (len(events[0].data), pending, overflowed) == (10_000_000, False, False)


def test_memory_is_bounded():
    """A line without end is not kept."""
    decoder = Decoder(limit=1000)
    for _ in range(100):
        decoder.feed(b"x" * 100)
    assert decoder._tail == []
    assert decoder.pending


def test_flush_lets_go():
    """The end of the stream frees what was held, and goes on saying that something was cut."""
    decoder = Decoder()
    decoder.feed(b"data: a\ndata: b")
    assert repr(decoder) == "<Decoder pending=True overflowed=False held=9>"
    assert decoder.flush() == []
    assert decoder.pending


PIECES = [
    *(b"data: ", b"data:", b"data", b"event: ", b"id: ", b"retry: 5", b":", b": ping", b"\xef\xbb\xbf", b"\0", b" "),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\r", "é🗼".encode(), b"\xff", b"\xf0\x9f", b"[DONE]"),
    *(b'{"choices":[{"delta":{"content":"x"}}]}', b"\xe2\x80\xa8", b"\x85", b"a" * 40),
]


def composed(dice):
    """A stream: by grammar (70 %), mutated (20 %), or noise (10 %)."""
    kind = dice.random()
    if kind > 0.9:
        return dice.randbytes(dice.randrange(1, 120))
    body = b"".join(dice.choices(PIECES, k=dice.randrange(1, 24)))
    if kind > 0.7:
        place = dice.randrange(len(body))
        body = body[:place] + dice.randbytes(dice.randrange(3)) + body[place + dice.randrange(3) :]
    return body


def compare_cuttings(seed, rounds):
    dice = random.Random(seed)
    for _ in range(rounds):
        body = composed(dice)
        limit = dice.choice((16, 64, MAX_EVENT))
        marks = [dice.randrange(len(body) + 1) for _ in range(dice.randrange(1, 9))]
        assert fed(cut(body, marks), limit) == fed([body], limit), (body, marks, limit)


def test_random_cuttings():
    """However random bytes are cut, the same events come out and nothing raises."""
    compare_cuttings(1, CUTTINGS)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_million_random_cuttings():
    """The same, a million times."""
    compare_cuttings(2, 1_000_000)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=30), st.integers(1, 100))
def test_any_chunks(chunks, limit):
    """Chunks of any origin give what their joined bytes give."""
    assert fed(chunks, limit) == fed([b"".join(chunks)], limit)
