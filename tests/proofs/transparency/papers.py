"""What each side of a proxy that speaks TLS both ways needs of one private authority. Used by differential."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proxy.upstream.authority import Authority, authority


@dataclass(frozen=True, slots=True)
class Papers:
    """One authority and one certificate of it for 127.0.0.1, which the proxy and the origin share."""

    authority: Authority
    cert: str
    key: str

    @classmethod
    def made_in(cls, folder: Path) -> Papers:
        """New ones; skips a test where there is no openssl program."""
        made = authority(folder)
        return cls(made, *made.sign("both"))

    def server(self) -> ssl.SSLContext:
        """For who listens."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """For who connects."""
        return ssl.create_default_context(cafile=self.authority.ca)

    def settings(self, live: str) -> dict[str, Any]:
        """A proxy that speaks TLS to clients and to live."""
        return {
            "tls": {"cert": self.cert, "key": self.key},
            "live": {"base_url": live, "tls": {"ca": self.authority.ca}},
        }
