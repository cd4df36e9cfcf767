"""JSON as parsers disagree about it: sent as bodies both ways, of which not a byte may change."""

from __future__ import annotations

from collections.abc import Iterator

from tests.proofs.transparency.cases import Case, Reply

_DEEP = 5000

TEXTS: tuple[bytes, ...] = (
    # numbers
    *(b"[%b]" % number for number in (
        b"0", b"-0", b"-0.0", b"0e1", b"0E+1", b"1e1", b"1E-2", b"123e65", b"1e400", b"-1e400", b"1e-400",
        b"0.1", b"00",
        b"01", b"-01", b"+1", b".5", b"5.", b"1.e3", b"1e", b"1e+", b"--1", b"0x1F", b"1_000", b"NaN", b"-NaN",
        b"Infinity", b"-Infinity", b"inf", b"9007199254740993", b"18446744073709551616", b"-9223372036854775809",
        b"1" * 400, b"0." + b"3" * 400, b"1.0000000000000000000000000000000001", b"1 000", b"\xef\xbc\x91", b"1f",
        b"123456789012345678901234567890.12345678901234567890",
    )),
    # strings
    *(b'["%b"]' % text for text in (
        b"", b"\\u0000", b"\\ud800", b"\\udfff", b"\\ud83d\\ude00", b"\\ude00\\ud83d", b"\\ud800\\ud800\\n",
        b"\\uD834\\udd",
        b"\\u12", b"\\x41", b"\\a", b"\\'", b"\\/", b"/", b"\\", b"\\u0022", b"\\\"", b"\n", b"\t", b"\0",
        b"\x1f", b"\x7f",
        b"\xc3\xa9", b"\xe9", b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xf0\x9f\x99\x82",
        b"\xe2\x80\xa8",
        b"\xef\xbf\xbf", b"\xef\xbb\xbf", b"\xe2\x82", b"e\xcc\x81", b"</script>", b"\\u2028", b"x" * 70000,
    )),
    # structures
    b"", b" ", b"{}", b"[]", b"[ ]", b" [] ", b"[]\n", b"\n\n[]", b"null", b"true", b"false", b"nul", b"TRUE",
    b"\"", b"\"a\"",
    b"1", b"{", b"[", b"]", b"[]]", b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"{\"a\":1,}", b"{\"a\"}", b"{\"a\":}",
    b"{a:1}", b"{'a':1}", b"{1:1}", b"{null:1}", b"{\"a\":1 \"b\":2}", b"{\"a\":1}{\"b\":2}",
    b"{\"a\":1}\n{\"b\":2}\n",
    b"{\"a\":1,\"a\":2}", b"{\"b\":1,\"a\":2}", b"{\"\":0}", b"{\"__proto__\":{}}",
    b"{\"model\":\"m\",\"model\":\"n\"}",
    b"{ \"a\" :\t1\r\n}", b"[1]//c", b"/*c*/[1]", b"[1]#", b"[1]\0", b"\xef\xbb\xbf{}", b"\xff\xfe[\0]\0",
    b"\xfe\xff\0[\0]",
    b"[" * _DEEP + b"]" * _DEEP, b"[" * _DEEP, b'{"a":' * _DEEP, b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    b"[" + b"0," * 20000 + b"0]", b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(3000)) + b"}", b"\x00",
    b"\xa0[]",
    b'{"messages":[{"role":"user","content":"hel', b'{"messages":[{"role":"user","content":"\\ud83d"}],"model":"m"}',
    b"data: {}\n\n", b")]}',\n{}", b"<html>", b"[\x0c1]", b"[1\xc2\xa0]", b"\x1e{}\n",
)  # fmt: skip


def cases() -> Iterator[Case]:
    """Each text as request and as answer, with a length and in chunks, where shadows read it and where they do not."""
    kind = ((b"Content-Type", b"application/json"),)
    for number, text in enumerate(TEXTS):
        for target in (b"/v1/chat/completions", b"/v1/other"):
            for framing in ("length", "chunked"):
                key = b"json-%d-%b-%b" % (number, target[-1:], framing.encode())
                cuts = (len(text) // 2,)
                answer = Reply(fields=kind, body=text, framing=framing, cuts=cuts)
                yield Case(key, b"POST", target, kind, text, framing, cuts, answer=answer)
