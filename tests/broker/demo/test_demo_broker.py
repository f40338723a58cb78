"""The demo's broker: killed and started again on its port, beside others."""

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.errors import Fatal
from penates.demo import broker
from penates.demo.broker import HERE, DemoBroker
from support.world import eventually, pipe


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HERE, port)) == 0


def test_its_port_stays_its_own_while_it_is_dead(tmp_path: Path) -> None:
    (folder := tmp_path / "other").mkdir()
    with closing(DemoBroker(tmp_path)) as one:
        one.kill()
        assert not answers(one.port)
        with closing(DemoBroker(folder)) as other, socket.socket() as stranger:
            assert other.port != one.port
            with pytest.raises(OSError, match="in use"):
                stranger.bind((HERE, one.port))
        one.start()
        assert answers(one.port)
    assert not answers(one.port)


def test_without_mosquitto_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(broker, "PLACES", ())
    with pytest.raises(Fatal, match="sudo apt-get install mosquitto"):
        DemoBroker(tmp_path)


HOUSE = """import sys; from contextlib import ExitStack; from pathlib import Path
from penates.demo.house import DemoHouse
with ExitStack() as stack:
    DemoHouse(Path(sys.argv[1]), stack)
"""


def test_its_house_is_written_as_utf_8_in_every_locale(tmp_path: Path) -> None:
    other = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", HOUSE, tmp_path], env=other, check=True)
    assert "°C" in (tmp_path / "config/devices/lcd.toml").read_text(encoding="utf-8")


HOLDER = "import sys, time; from pathlib import Path; from penates.demo.broker import DemoBroker\n"
HOLDER += "print(DemoBroker(Path(sys.argv[1])).port, flush=True); time.sleep(600)"


def test_it_dies_with_whoever_has_started_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        port = int(pipe(holder.stdout).readline())
        assert answers(port)
        holder.kill()
    eventually(lambda: not answers(port), "the broker is gone")
