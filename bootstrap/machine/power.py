"""Restarting this machine and shutting it down, which root does for a sensor once its owner has allowed it.

A sensor leaves a file; systemd waits for it by a unit that `penates install` enables, and then does what is named.
"""

import os
from pathlib import Path

from bootstrap.contract.payload import Json
from bootstrap.device import this_host
from bootstrap.errors import Refused

WANTS = Path("/etc/systemd/system/penates.target.wants")
WORDS = ("reboot", "shutdown")
REQUEST = "power-{word}"  # in the folder that systemd gives to all sensors


def waiting_unit(word: str) -> str:
    """Return the unit that waits for the request to `reboot` or to `shutdown`."""
    return f"penates-power@{word}.path"


def request(word: str, value: Json, wants: Path = WANTS) -> None:
    """Ask systemd to restart this machine, or to shut it down; `value` must be this machine's name.

    Raises:
        Refused: it is another one, or nobody waits for the request.
        OSError: the request cannot be left.
    """
    if value != this_host():
        raise Refused(f"send the name of this machine, {this_host()}, so that no other one is meant")
    folder = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if not folder or not (wants / waiting_unit(word)).is_symlink():
        raise Refused("systemd does not wait for it on this machine: sudo penates install")
    (Path(folder) / REQUEST.format(word=word)).touch()
