"""Logs in systemd's journal: a real datagram socket stands for journald's."""

import json
import os
import signal

import pytest

from support.journald import Journald
from support.world import PATIENCE_S, Broker, Eyes, House, eventually


def test_one_sensors_log_can_be_asked_for(cellar: House, journald: Journald, eyes: Eyes) -> None:
    journald.listen()
    process = journald.unit(cellar, "run", "cellar")
    eyes.wait_value("cm/cellar/status/state", "online")
    found = journald.wait(PENATES_SENSOR="cellar", PENATES_GROUP="cm", PENATES_KIND="thermometer")
    assert found["MESSAGE"].startswith("cm/cellar: starting (kind=thermometer, settings=")
    assert json.loads(found["PENATES_SETTINGS"])["serial"] == "28-cellar"
    assert (found["PRIORITY"], found["SYSLOG_IDENTIFIER"]) == ("6", "penates")
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert {one["PENATES_SENSOR"] for one in journald.entries()} == {"cellar"}
    with pytest.raises(BlockingIOError):
        journald.lines()


def test_a_traceback_is_one_entry(house: House, broker: Broker, journald: Journald) -> None:
    journald.listen()
    house.write(broker.port)
    house.device("odd", 'kind = "support.odd_devices.Odd"\nhook = "setup"\ndiary = "diary"\n')
    assert journald.unit(house, "run", "odd").wait(PATIENCE_S) == 70
    found = journald.wait(PRIORITY="3", PENATES_EXIT="70")
    first, *rest = found["MESSAGE"].split("\n")
    assert first == "cm/odd: a bug in setup (exit=70)"
    assert (rest[0], rest[-1]) == ("  Traceback (most recent call last):", "  RuntimeError: odd")


def test_without_its_socket_the_stream_gets_lines(cellar: House, journald: Journald, eyes: Eyes) -> None:
    journald.unit(cellar, "run", "cellar")
    eyes.wait_value("cm/cellar/status/state", "online")
    lines = journald.lines()
    assert lines[0].startswith("<6>cm/cellar: starting (")
    assert all(line.startswith(("<6>cm/cellar: ", "<7>cm/cellar: ")) for line in lines)


def test_a_supervisor_passes_on_what_its_sensors_say_and_print(
    house: House, broker: Broker, journald: Journald, eyes: Eyes
) -> None:
    journald.listen()
    house.write(broker.port)
    house.thermometer()
    (house.folder / "mine.py").write_text(
        "import sys\nfrom dataclasses import dataclass\nfrom bootstrap.device import Device, Measure\n\n"
        '@dataclass(kw_only=True)\nclass Talks(Device):\n    """Wiring: none."""\n\n    told = Measure("1")\n\n'
        "    def setup(self):\n        print('<4>by print', file=sys.stderr)\n"
        '        print(\'\\x1e[1]\\n\\x1e{\\n\\x1e{"MESSAGE":1,"PRIORITY":"6"}\\nplain\', file=sys.stderr)\n\n'
        "    def read(self):\n        return {'told': 1}\n"
    )
    house.device("talker", 'kind = "mine.Talks"\n')
    parent = journald.unit(house, "supervisor")
    eyes.wait_value("cm/talker/status/state", "online")
    eyes.wait_value("cm/cellar/status/state", "online")
    assert journald.wait(PENATES_SENSOR="cellar", PENATES_KIND="thermometer")["MESSAGE"].startswith("cm/cellar: ")
    assert journald.wait(PENATES_SENSOR="talker", MESSAGE="by print")["PRIORITY"] == "4"
    assert journald.wait(PENATES_SENSOR="talker", MESSAGE="plain")["PENATES_GROUP"] == "cm"
    assert journald.wait(PENATES_SENSOR="talker", MESSAGE="\x1e[1]")["PRIORITY"] == "6"
    assert "PENATES_GROUP" not in journald.wait(PENATES_SENSOR="supervisor")
    os.kill(house.pids()["cellar"], signal.SIGKILL)
    assert journald.wait(PENATES_SENSOR="cellar", PENATES_REASON="killed by SIGKILL")["PRIORITY"] == "4"
    parent.terminate()
    assert parent.wait(PATIENCE_S) == 0
    assert journald.wait(PENATES_SENSOR="supervisor", MESSAGE="supervisor: stopped")


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_format_that_somebody_chose_holds_in_a_unit_too(
    cellar: House, broker: Broker, journald: Journald, eyes: Eyes, style: str
) -> None:
    journald.listen()
    cellar.write(broker.port, log=f'format = "{style}"')
    journald.unit(cellar, "supervisor")
    eyes.wait_value("cm/cellar/status/state", "online")
    eventually(lambda: any("cm/cellar" in line for line in lines_so_far(journald)), "lines")
    assert journald.entries() == []


def lines_so_far(journald: Journald) -> list[str]:
    try:
        return journald.lines()
    except BlockingIOError:
        return []
