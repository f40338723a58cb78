"""`penates calibrate`: the sensor is read, the file written, and what is published is right from then on."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bootstrap.filters.linear import Calibrate
from support.world import Broker, Eyes, House, Running, eventually, pipe

VALUE, READING = "cm/cellar/data/temperature", "cm/cellar/data/reading"
MARK = "# before this calibration: "


@pytest.fixture
def file(cellar: House) -> Path:
    """The file of a thermometer that is read when it is asked."""
    cellar.thermometer(millidegrees=312, every_s=3600)
    return cellar.folder / "devices" / "cellar.toml"


def start(house: House, eyes: Eyes) -> Running:
    running = house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    return running


def reload(running: Running) -> None:
    count = len(running.logged("reloaded ("))
    running.send(signal.SIGHUP)
    running.wait_log("reloaded (", count + 1)


def test_a_point_from_the_wire_another_one_by_hand_and_back(cellar: House, eyes: Eyes, file: Path) -> None:
    before, running = file.read_text(), start(cellar, eyes)
    done = cellar.penates("calibrate", "cellar", "--reference", "0")
    assert done.returncode == 0, done.stderr
    assert "temperature: 0.312 °C, the mean of 5 readings from 0.312 to 0.312" in done.stdout
    assert ["0.312", "0.312", "0"] in [line.split() for line in done.stdout.splitlines()]
    assert f"{MARK}no section\ncalibrate = {{ points = [[0.312, 0.0]] }}\n" in file.read_text()
    reload(running)
    eyes.ask("cm/cellar", "read", "now")
    eyes.wait_value(VALUE, 0)
    by_hand = cellar.penates("calibrate", "cm/cellar", "temperature", "--point", "8.312=8")
    assert by_hand.returncode == 0, by_hand.stderr
    points = [[0.312, 0.0], [8.312, 8.0]]
    assert Calibrate(points=points).id in by_hand.stdout
    reload(running)
    cellar.probe("cellar", 8312)
    eyes.ask("cm/cellar", "read", "now")
    eyes.wait_value(VALUE, 8)
    newest: dict[str, Any] = eyes.wait(
        lambda seen: [one.value for one in seen if one.topic == READING and one.value["temperature"] == 8], "a record"
    )[-1]
    assert newest["calibration"] == {"temperature": Calibrate(points=points).id}
    assert cellar.penates("calibrate", "cellar", "--undo").returncode == 0
    assert "points = [[0.312, 0.0]]" in file.read_text()
    nothing = cellar.penates("calibrate", "cellar", "--undo")
    assert (nothing.returncode, "has no calibration of [temperature] to undo" in nothing.stderr) == (1, True)
    assert before in file.read_text()


def test_what_the_sensor_says_is_published_for_as_long_as_it_takes(cellar: House, eyes: Eyes, file: Path) -> None:
    file.write_text(file.read_text() + '[temperature]\nlow = -40\nunit = "°F"  # as grandmother has it\nround = 0\n')
    before, running = file.read_text(), start(cellar, eyes)
    command = [sys.executable, "-m", "penates", "calibrate", "cellar", "--reference", "0"]
    asking = subprocess.Popen(
        [*command, "--config", str(cellar.folder)], env=cellar.env(), stdout=subprocess.PIPE, text=True
    )
    eventually(lambda: "raw = true" in file.read_text(), "the raw value is asked for")
    reload(running)
    assert "0.312 °C, the mean of 5 readings" in pipe(asking.stdout).read()
    pipe(asking.stdout).close()
    assert asking.wait() == 0
    line = f"{MARK}no calibration\ncalibrate = {{ points = [[0.312, 0.0]] }}\n"
    assert file.read_text() == before.replace("low = -40\n", f"low = -40\n{line}")
    reload(running)
    eyes.ask("cm/cellar", "read", "now")
    eyes.wait_value(VALUE, 32)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, None])
def test_what_its_owner_edits_meanwhile_stays(cellar: House, file: Path, number: int | None) -> None:
    file.write_text(file.read_text() + "[temperature]\nraw = false\nround = 0\n")
    before = file.read_text()
    command = [
        sys.executable,
        "-m",
        "penates",
        "calibrate",
        "cellar",
        "--reference",
        "0",
        "--wait",
        "3600" if number else "3",
    ]
    asking = subprocess.Popen(
        [*command, "--config", str(cellar.folder)], env=cellar.env(), stdout=subprocess.PIPE, text=True
    )
    next(line for line in pipe(asking.stdout) if line.startswith("Next: reload"))
    mine = file.read_text().replace("round = 0", "round = 1  # mine") + "step = no number\n"
    assert "raw = true" in mine
    file.write_text(mine)
    if number is not None:
        asking.send_signal(number)
    asking.communicate(timeout=120)
    assert asking.returncode == (128 + number if number else 77)
    assert file.read_text() == before.replace("round = 0", "round = 1  # mine") + "step = no number\n"


def test_a_sensor_that_says_nothing_changes_nothing(cellar: House, file: Path) -> None:
    file.write_text(file.read_text() + "[temperature]\nround = 0\n")
    before = file.read_text()
    done = cellar.penates("calibrate", "cellar", "--reference", "0", "--wait", "1")
    assert (done.returncode, "0 of 5 readings with 'temperature_raw' have come" in done.stderr) == (77, True), (
        done.stderr
    )
    assert file.read_text() == before


def test_a_supervised_sensor_is_reloaded(cellar: House, eyes: Eyes, file: Path) -> None:
    cellar.supervise()
    done = cellar.penates("calibrate", "cellar", "--reference", "-1", "--readings", "2")
    assert (done.returncode, "Next" in done.stdout) == (0, False), done.stderr
    eyes.ask("cm/cellar", "read", "now")
    eyes.wait_value(VALUE, -1)
    assert "points = [[0.312, -1.0]]" in file.read_text()


def test_on_a_terminal_it_asks_until_nothing_is_entered(cellar: House, eyes: Eyes, file: Path) -> None:
    start(cellar, eyes)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "penates", "calibrate", "cellar", "--config", str(cellar.folder)]
    asking = subprocess.Popen(command, env=cellar.env(), stdin=theirs, stdout=subprocess.PIPE, text=True)
    os.close(theirs)
    os.write(ours, b"cold\n0.1\n\n")
    said, _ = asking.communicate(timeout=120)
    os.close(ours)
    assert asking.returncode == 0
    assert "enter a number, not 'cold'" in said
    assert "what is true, in °C?" in said
    assert "points = [[0.312, 0.1]]" in file.read_text()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["attic"], "there is no sensor 'attic'; choose from cellar"),
        (["cellar", "pressure"], "cm/cellar measures no number 'pressure'; choose from temperature"),
        (["cellar"], "there is no terminal to ask on; add --reference TRUE or --point SAID=TRUE"),
        (["cellar", "--point", "1=2", "--point", "2=2"], "these points do not fit"),
        (["cellar", *(f"--point={number}={number}" for number in range(6))], "there would be 6 points, and 5 at most"),
    ],
)
def test_what_cannot_be_done_is_said(house: House, broker: Broker, words: list[str], why: str) -> None:
    house.write(broker.port)
    file = house.device("cellar", 'kind = "thermometer"\nserial = "28-0316a2795fff"\n')
    before = file.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "penates", "calibrate", *words, "--config", str(house.folder)],
        env=house.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, why in done.stderr) == (78, True), done.stderr
    assert file.read_text() == before


def test_a_filter_above_a_calibration_is_in_its_way(house: House, broker: Broker) -> None:
    house.write(broker.port)
    house.device("door", 'kind = "door"\npin = 17\n')
    none = house.penates("calibrate", "door", "--point", "1=2")
    assert "it measures no number" in none.stderr
    house.thermometer()
    file = house.folder / "devices" / "cellar.toml"
    file.write_text(file.read_text() + "[temperature]\nmedian = 3\ncalibrate = { offset = 1 }\n")
    done = house.penates("calibrate", "cellar", "--point", "1=2")
    assert "'calibrate' must be the first filter; move its line up below [temperature]" in done.stderr
