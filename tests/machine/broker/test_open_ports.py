"""Which ports a broker by our files opens, in a network of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support.paths import SUPPORT
from support.places import Place
from support.world import MOSQUITTO


def test_a_stranger_finds_tls_alone_open(place: Place, tmp_path: Path) -> None:
    """Every port is tried, in a network of its own, with the ports that an installed broker has."""
    assert MOSQUITTO
    place.make(plain_port=1883, tls_port=8883)
    configuration = tmp_path / "usual.conf"
    configuration.write_text(f"user root\npersistence_location {tmp_path}/\ninclude_dir {place.site.conf_d}\n")
    apart = ["unshare", "--net", *([] if os.getuid() == 0 else ["--map-root-user"])]
    command = [*apart, sys.executable, str(SUPPORT / "lan.py"), MOSQUITTO, str(configuration)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert found["open"] == [8883]
    plain, secure, secure_by_6 = "0100007F:075B", "00000000:22B3", f"{'0' * 32}:22B3"
    assert found["listening"] == sorted([plain, secure, secure_by_6])
