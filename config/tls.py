"""The TLS settings of one upstream, with verification always on and nothing taken from the environment.

Python's own default context follows SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE: whoever sets a variable would decide
whom we trust and could read along. So the system's authorities are looked for where systems keep them. Used by the
proxy's upstreams, and by the doctor, which must see what they will see.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from config.routing import Tls

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, distroless
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD, Alpine
    "/opt/homebrew/etc/openssl@3/cert.pem",
)


def context(tls: Tls) -> ssl.SSLContext:
    """What `tls` asks for; raises OSError (ssl.SSLError too) when a file of it cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies, host name included
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if tls.ca is not None:
        made.load_verify_locations(cafile=tls.ca)
    elif (bundle := system_authorities()) is not None:
        made.load_verify_locations(cafile=bundle)
    if tls.cert is not None:
        made.load_cert_chain(tls.cert, tls.key, password=_no_password)
    return made


def why(error: OSError) -> str:
    """Why a file of certificates or keys cannot be used, in a word or two."""
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def system_authorities() -> str | None:
    """The file in which this system keeps whom it trusts; None: nobody is trusted then."""
    compiled = ssl.get_default_verify_paths().openssl_cafile  # the location built in, not the variable's
    return next((path for path in (compiled, *_BUNDLES) if Path(path).is_file()), None)


def _no_password() -> str:
    raise ssl.SSLError("the key is encrypted")  # instead of asking at a terminal that nobody watches
