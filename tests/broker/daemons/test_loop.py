"""An alarm loop as a process: what it says when a contact opens, a line is cut, and the converter is gone."""

import json
from pathlib import Path

import pytest

from support.kernel_files import KernelFiles
from support.world import Broker, Eyes, House

R, SUPPLY, STEP = 4700.0, 3.3, 0.125e-3  # ohms, volts, volts of a step of the converter
LOOP = "cm/loop"
QUICK = 5.0  # seconds, in which an alarm must be told: two looks, and a busy machine


def be(folder: Path, ohms: float) -> None:
    """Have the loop this resistance."""
    (folder / "next").write_text(f"{round(SUPPLY * ohms / (ohms + R) / STEP)}\n")
    (folder / "next").replace(folder / "in_voltage0_raw")


def test_an_alarm_a_cut_line_and_a_converter_that_is_gone(
    house: House, broker: Broker, eyes: Eyes, tmp_path: Path
) -> None:
    house.write(broker.port)
    files = KernelFiles(tmp_path / "sys")
    folder = files.iio("ads1015", "1-0048", in_voltage0_raw="0", in_voltage0_scale="0.125000000")
    be(folder, R)
    house.device("loop", f'kind = "loop"\nsysfs = "{files.root}"\nsample_s = 0.1\ndevice_class = "door"\n')
    house.run("loop")
    eyes.wait_value(f"{LOOP}/data/state", "normal")
    for ohms, state, alarm, tamper in (
        (2 * R, "alarm", True, False),
        (R, "normal", False, False),
        (1e9, "open", False, True),
        (R, "normal", False, False),
    ):
        since = len(eyes.seen)
        be(folder, ohms)
        for name, value in (("state", state), ("alarm", alarm), ("tamper", tamper)):
            eyes.wait_value(f"{LOOP}/data/{name}", value, since, QUICK)
    since = len(eyes.seen)
    (folder / "in_voltage0_raw").rename(folder / "away")
    eyes.wait_value(f"{LOOP}/data/state", "unknown", since)
    eyes.wait_value(f"{LOOP}/status/state", "fault", since)
    eyes.wait(lambda _: [one for one in eyes.on(f"{LOOP}/status/health") if b"ADS1115: " in one.payload], "why")
    assert not [one for one in eyes.seen[since:] if one.topic == f"{LOOP}/data/state" and one.value == "normal"]
    since = len(eyes.seen)
    (folder / "away").rename(folder / "in_voltage0_raw")
    eyes.wait_value(f"{LOOP}/data/state", "normal", since)
    eyes.wait_value(f"{LOOP}/status/state", "online", since)
    assert json.loads(eyes.on(f"{LOOP}/status/about")[-1].payload)["measures"]["alarm"]["shown_as"] == "door"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("alarm_ohm = [5000, 9000]", "'alarm_ohm' begins at 5000 ohms, which 'normal_ohm' has too"),
        ("alarm_ohm = [9000]", "'alarm_ohm' must be the lowest and the highest resistance"),
        ('short_means = "normal"', "short_means"),
        ("normal_ohm = 4700", "normal_ohm"),
    ],
)
def test_a_loop_that_could_not_be_understood_is_refused(house: House, settings: str, why: str) -> None:
    house.write(1)
    house.device("loop", f'kind = "loop"\n{settings}\n')
    done = house.penates("check")
    assert done.returncode == 78
    assert why in done.stdout + done.stderr
