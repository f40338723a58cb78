"""In a network of its own (unshare --net): start a broker by its usual ports, and say what a stranger finds open.

python lan.py MOSQUITTO CONFIGURATION: prints the ports that are open to a stranger, and who listens where, as JSON.
"""

import contextlib
import fcntl
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

LAN = "127.0.0.2"  # to a listener on 127.0.0.1 any other address is foreign
LISTENS = "0A"  # in /proc/net/tcp
UP, SET_FLAGS = 0x1, 0x8914  # IFF_UP, SIOCSIFFLAGS
HIGHEST = 65_535


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))


def is_open(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # The kernel may call from the very port that is called, and answer itself.
        return probe.connect_ex((address, port)) == 0 and probe.getsockname() != probe.getpeername()


def listening() -> list[str]:
    """As the kernel has them: address and port in hexadecimal digits."""
    lines = [line for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]]
    return sorted(fields[1] for fields in map(str.split, lines) if fields[3] == LISTENS)


def main(mosquitto: str, configuration: str) -> None:
    loopback_up()
    with subprocess.Popen([mosquitto, "-c", configuration], stderr=subprocess.DEVNULL) as broker:
        try:
            while not is_open("127.0.0.1", 8883):
                assert broker.poll() is None, "mosquitto has ended"
                time.sleep(0.01)
            found = {"open": [port for port in range(1, HIGHEST + 1) if is_open(LAN, port)], "listening": listening()}
        finally:
            with contextlib.suppress(ProcessLookupError):
                broker.terminate()
    print(json.dumps(found))  # noqa: T201 - whoever started us reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
