"""Trust in one certificate authority."""

import ssl
from pathlib import Path


def tls(ca_file: Path) -> ssl.SSLContext:
    """Return a TLS client context that trusts only `ca_file` and always verifies the host name.

    Raises:
        OSError: the file cannot be read, or is not a certificate (ssl.SSLError).
    """
    return ssl.create_default_context(cafile=ca_file)
