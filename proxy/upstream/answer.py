"""What an upstream says to one request, fed as it arrives: head, body, trailers, and whether all of it was sound.

Stands on httptools (llhttp), used strictly. llhttp itself refuses: two Content-Length, Content-Length beside
Transfer-Encoding, bare CR or LF, NUL and control characters in fields, folded lines. Refused here because it lets them
pass: other versions and protocols, codings but `chunked`, chunks in HTTP/1.0, NUL in the reason. Used by connection.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from proxy.upstream.door import Head

LIMIT = 64 << 10
"""Bytes of a head, or of trailers and chunk extensions in a row; providers' cookies and policies pass 8 KiB."""

_TELLING = frozenset({10, 14, 17})  # lengths of the names looked at: most fields are passed over without lower()


class Answer:
    """The answers of one connection, one after the other: `expect`, then `feed` until `complete` or `fault`."""

    __slots__ = (
        "_bare",
        "_fields",
        "_parser",
        "_reason",
        "_silent",
        "_upgrade",
        "complete",
        "fault",
        "framed",
        "head",
        "interims",
        "keep_alive",
        "keep_for",
        "on_body",
        "on_status",
        "pieces",
        "raw",
    )

    def __init__(self) -> None:
        self.pieces: list[bytes] = []  # body bytes of this feed; whoever takes them clears it
        self._reason: list[bytes] = []
        self.on_body = self.pieces.append  # the parser calls the list itself: no frame of ours per piece
        self.on_status = self._reason.append
        self._parser = HttpResponseParser(self)
        self.expect()

    def expect(self, *, bare: bool = False, upgrade: bool = False) -> None:
        """Another request was sent. `bare`: its answer has no body whatever its head says (HEAD)."""
        self.head: Head | None = None
        self.interims: list[Head] = []
        self.complete = False
        self.keep_alive = False  # valid once complete: the connection can carry another exchange
        self.keep_for: float | None = None  # seconds, where the upstream says how long it waits
        self.framed = True  # False: only the connection's end marks the body's end
        self.fault = False  # no HTTP from here on
        self.raw = False  # after a 101
        self._fields: list[tuple[bytes, bytes]] = []
        self._silent = 0
        self._bare = bare
        self._upgrade = upgrade

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection; what came of it is in the attributes."""
        if self.head is None:
            self._feed_head(data)
        else:
            self._parse(data)
        if self.pieces or self.complete:
            self._silent = 0
            return
        self._silent += len(data)
        if self._silent > LIMIT:
            self.fault = True

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The fields after a chunked body."""
        return self._fields

    def _feed_head(self, data: bytes) -> None:
        if not self._silent and data[0] != 72:  # llhttp would take RTSP and ICE too, and skip empty lines
            self.fault = True
        elif self._bare:
            self._feed_lines(data)
        else:
            self._parse(data)
        if self.head is not None:
            large = self._silent + len(data) > LIMIT
            if large and sum(len(name) + len(value) + 4 for name, value in self.head.headers) > LIMIT:
                self.head, self.fault, self.complete = None, True, False
                self.pieces.clear()
            self._silent = 0

    def _feed_lines(self, data: bytes) -> None:
        """Line by line: nothing tells llhttp that no body follows, so it must not see what does."""
        for line in data.splitlines(keepends=True):
            if self.complete:
                self.keep_alive = False
                break
            if self.fault:
                break
            self._parse(line)
        if self.complete:
            self._parser = HttpResponseParser(self)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgraded:
            if rest := data[upgraded.args[0] :]:
                self.pieces.append(rest)
        except HttpParserError:
            if self.complete:
                self.keep_alive = False  # bytes after the answer: nobody asked for them
            else:
                self.fault = True

    # Called by the parser

    def on_message_begin(self) -> None:
        if self.complete:
            self.keep_alive = False
            raise ValueError

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        reason = self._reason
        head = Head(status, reason[0] if len(reason) == 1 else b"".join(reason), self._fields)
        reason.clear()
        self._fields = []
        version = parser.get_http_version()
        if (version != "1.1" and version != "1.0") or b"\0" in head.reason:
            raise ValueError
        if status < 200:
            self._on_interim(head)
            return
        self._read_framing(head, version)
        self.head = head
        if self._bare:
            self.complete = True
            self.keep_alive = parser.should_keep_alive()

    def on_message_complete(self) -> None:
        if self.head is not None and not self.raw:
            self.complete = True
            self.keep_alive = self._parser.should_keep_alive()  # asked later, it says no

    def _on_interim(self, head: Head) -> None:
        if head.status != 101:
            if head.status != 100:
                self.interims.append(head)
            return
        if not self._upgrade or not self._parser.should_upgrade():
            raise ValueError
        self.head = head
        self.raw = True

    def _read_framing(self, head: Head, version: str) -> None:
        codings = lengths = 0
        for name, value in head.headers:
            if len(name) not in _TELLING:
                continue
            lower = name.lower()
            if lower == b"content-length":
                lengths += 1
            elif lower == b"transfer-encoding":
                codings += 1
                if codings > 1 or version == "1.0" or value.strip().lower() != b"chunked":
                    raise ValueError
            elif lower == b"keep-alive":
                self.keep_for = _timeout(value)
        self.framed = bool(codings or lengths or head.status in (204, 304) or self._bare)


def _timeout(value: bytes) -> float | None:
    for part in value.split(b","):
        name, _, seconds = part.strip().partition(b"=")
        if name.lower() == b"timeout" and seconds.isdigit() and len(seconds) < 10:
            return float(seconds)
    return None
