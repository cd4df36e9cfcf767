"""Whom we trust, and that nothing but the settings decides it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from config.routing import Tls
from config.tls import context, system_authorities
from tests.proxy.upstream.authority import Authority, authority


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Certificates, made by the openssl program."""
    return authority(tmp_path_factory.mktemp("ca"))


def test_verifies() -> None:
    """Certificates and names are checked, old versions refused, whatever the settings."""
    made = context(Tls())
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2


def test_own_authority_replaces_the_systems(ca: Authority) -> None:
    """With `ca` set nobody else is trusted."""
    made = context(Tls(ca=ca.ca))
    assert [dict(part[0] for part in one["subject"])["commonName"] for one in made.get_ca_certs()] == ["ca"]


def test_system_authorities() -> None:
    """Without `ca` the system's are trusted, where the system has any."""
    if system_authorities() is None:
        pytest.skip("this system has no file of authorities in any of the known places")
    assert context(Tls()).get_ca_certs()


def test_environment_is_not_asked(ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither trust nor a log of the keys comes from variables."""
    before = len(context(Tls()).get_ca_certs())
    monkeypatch.setenv("SSL_CERT_FILE", ca.ca)
    monkeypatch.setenv("SSL_CERT_DIR", str(ca.folder))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    made = context(Tls())
    assert len(made.get_ca_certs()) == before
    assert made.keylog_filename is None


def test_unusable_files(ca: Authority, tmp_path: Path) -> None:
    """A file that is missing, is no certificate, or is locked by a pass phrase is told at once."""
    certificate, key = ca.sign("locked")
    locked = str(tmp_path / "locked.key")
    subprocess.run(["openssl", "ec", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked], check=True)
    empty = tmp_path / "empty.pem"
    empty.touch()
    for wrong in (
        Tls(ca=str(tmp_path / "none")),
        Tls(ca=str(empty)),
        Tls(cert=str(empty), key=key),
        Tls(cert=certificate, key=locked),
    ):
        with pytest.raises(OSError):  # noqa: PT011 - ssl.SSLError is one
            context(wrong)
