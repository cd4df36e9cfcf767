"""A certificate authority of our own, made by the openssl program for one test session. For the tests of this room."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Authority:
    """`ca.pem` in a folder, and whatever it has signed."""

    folder: Path

    @property
    def ca(self) -> str:
        """Its own certificate."""
        return str(self.folder / "ca.pem")

    def sign(self, name: str, alternative: str = "DNS:localhost,IP:127.0.0.1", days: int = 2) -> tuple[str, str]:
        """A certificate and its key; with `days` below zero it has expired."""
        key, request, certificate = (str(self.folder / f"{name}.{kind}") for kind in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\nbasicConstraints=CA:FALSE\n")
        _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        issuer = ("-CA", self.ca, "-CAkey", str(self.folder / "ca.key"), "-CAcreateserial")
        lasting = ("-days", str(days), "-extfile", str(extensions))
        _openssl("x509", "-req", "-in", request, *issuer, *lasting, "-out", certificate)
        return certificate, key

    def serving(self, name: str, *, clients: bool = False, **signing: object) -> ssl.SSLContext:
        """A server's context; `clients`: it asks for a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.sign(name, **signing))  # type: ignore[arg-type]
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def authority(folder: Path) -> Authority:
    """A new one, in this folder; skips the test where there is no openssl program."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by the openssl program, which is not installed")
    made = Authority(folder)
    _openssl("req", "-x509", *_KEY, "-keyout", str(folder / "ca.key"), "-out", made.ca, "-days", "2", "-subj", "/CN=ca")
    return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=10)
