"""Trust in one certificate authority."""

import ssl
import threading
from pathlib import Path

_lock = threading.Lock()
_shared: dict[Path, tuple[tuple[int, ...], ssl.SSLContext]] = {}


def shared_tls(ca_file: Path) -> ssl.SSLContext:
    """Return the context that all connections of this process share, or a new one if the file has changed.

    Raises:
        OSError: as `tls` does.
    """
    found = ca_file.stat()
    version = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    with _lock:
        if ca_file not in _shared or _shared[ca_file][0] != version:
            _shared[ca_file] = (version, tls(ca_file))
        return _shared[ca_file][1]


def tls(ca_file: Path) -> ssl.SSLContext:
    """Return a TLS client context that trusts only `ca_file` and always verifies the host name.

    Since version 3.13, Python also demands extensions that the CA of many a house lacks, such as one made as
    mosquitto-tls(7) says. Its owner has chosen to trust it; without them it is no less his.

    Raises:
        OSError: the file cannot be read, or is not a certificate (ssl.SSLError).
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
