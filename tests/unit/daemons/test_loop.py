"""An alarm loop: what each resistance means, which changes are believed, and that nothing unknown is normal."""

import fcntl
import math
import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bootstrap.alarm_loops.loop_bands import LoopJudge
from bootstrap.device import Failure
from bootstrap.kernel_sensors.chip import Chip
from daemons.loop import AlarmLoop
from penates.testing import Bench
from support.kernel_files import KernelFiles

STEP = 0.125e-3  # volts, of an ADS1115 at a gain of 1
R, SUPPLY = 4700.0, 3.3
CUT = math.inf
WORDS = {"n": "normal", "a": "alarm", "t": "tamper", "s": "short", "o": "open", "u": "unknown"}
LETTERS = {word: letter for letter, word in WORDS.items()}
LOOKS = 0.05  # seconds


def volts(loop: float, pull_up: float = R, supply: float = SUPPLY) -> float:
    """By Kirchhoff, with the true resistors: the voltage at the loop."""
    return supply if loop == CUT else supply * loop / (loop + pull_up)


@pytest.fixture
def files(tmp_path: Path) -> KernelFiles:
    return KernelFiles(tmp_path / "sys")


class Loop:
    """A loop at an ADS1115, which a test cuts, shorts and opens."""

    def __init__(self, files: KernelFiles) -> None:
        self.folder = files.iio("ads1015", "1-0048", in_voltage0_raw="0", in_voltage0_scale="0.125000000")
        self.raw = self.folder / "in_voltage0_raw"

    def be(self, ohms: float) -> None:
        self.hold(volts(ohms))

    def hold(self, held: float) -> None:
        following = self.folder / "next"
        following.write_text(f"{round(held / STEP)}\n")
        following.replace(self.raw)


DOUBLE: dict[str, Any] = {}
OPENS: dict[str, Any] = {"open_means": "alarm"}
CLOSES: dict[str, Any] = {"short_means": "alarm"}
BOTH: dict[str, Any] = {"open_means": "alarm", "alarm_ohm": [7050, 11750]}
WIRINGS = [
    (DOUBLE, {0: "short", R: "normal", 2 * R: "alarm", CUT: "open", 2500: "tamper", 6500: "tamper", 20_000: "tamper"}),
    (OPENS, {0: "short", R: "normal", CUT: "alarm", 2 * R: "tamper"}),
    (CLOSES, {0: "alarm", R: "normal", CUT: "open", 2 * R: "tamper"}),
    (BOTH, {0: "short", R: "normal", CUT: "alarm", 2 * R: "alarm", 6500: "tamper"}),
]


@pytest.mark.parametrize(("settings", "meanings"), WIRINGS)
def test_what_resistances_mean(files: KernelFiles, settings: dict[str, Any], meanings: dict[float, str]) -> None:
    loop = AlarmLoop(sysfs=files.root, **settings)
    for ohms, word in meanings.items():
        assert loop.bands.word(loop.ohms(volts(ohms))) == word, ohms


@pytest.mark.parametrize("pull_up", [R * part for part in (0.95, 1, 1.05)])
@pytest.mark.parametrize("end", [0.95, 1.05])
@pytest.mark.parametrize("supply", [SUPPLY * part for part in (0.97, 1, 1.03)])
def test_resistors_of_five_per_cent_and_a_supply_of_three_are_in_the_bands(
    files: KernelFiles, pull_up: float, end: float, supply: float
) -> None:
    loop = AlarmLoop(sysfs=files.root)
    for ohms, word in ((0, "short"), (50, "short"), (end * R, "normal"), (end * 2 * R, "alarm")):
        assert loop.bands.word(loop.ohms(volts(ohms, pull_up, supply))) == word
    assert loop.bands.word(loop.ohms(SUPPLY)) == "open"


def test_no_voltage_at_all_is_normal_but_that_of_the_end_resistor(files: KernelFiles) -> None:
    loop = AlarmLoop(sysfs=files.root)
    normal = [step / 1000 for step in range(-4096, 4097) if loop.bands.word(loop.ohms(step / 1000)) == "normal"]
    assert min(normal) == pytest.approx(volts(3760), abs=0.0011)
    assert max(normal) == pytest.approx(volts(5640), abs=0.0011)
    assert len(normal) == round((max(normal) - min(normal)) * 1000) + 1
    for foreign in (-4.0, -0.1, 3.5, 4.0, math.nan):
        assert loop.bands.word(loop.ohms(foreign)) == "tamper"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"normal_ohm": [4000, 8000]}, "'alarm_ohm' begins at 7050 ohms, which 'normal_ohm' has too"),
        ({"alarm_ohm": [5640, 9000]}, "'alarm_ohm' begins at 5640 ohms, which 'normal_ohm' has too"),
        ({"alarm_ohm": [3000, 9000]}, "'normal_ohm' begins at 3760 ohms, which 'alarm_ohm' has too"),
        ({"short_below_ohm": 4000}, "'normal_ohm' begins at 3760 ohms, which 'short_below_ohm' has too"),
        ({"open_above_ohm": 9000}, "'open_above_ohm' begins at 9000 ohms, which 'alarm_ohm' has too"),
        ({"normal_ohm": [5000]}, "'normal_ohm' must be the lowest and the highest resistance in ohms"),
        ({"normal_ohm": [5000, 4000]}, "'normal_ohm' must be the lowest and the highest resistance in ohms"),
        ({"normal_ohm": [math.nan, 4000]}, "'normal_ohm' must be the lowest and the highest resistance in ohms"),
        ({"normal_ohm": []}, "'normal_ohm' must be the lowest and the highest resistance in ohms"),
        ({"alarm_ohm": [9000]}, "'alarm_ohm' must be the lowest and the highest resistance in ohms"),
        ({"chip": Chip("ADS7830")}, "'chip' must measure up to 'supply_v', 3.3 V"),
    ],
)
def test_bands_that_cannot_be_told_apart_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        AlarmLoop(**settings)


@pytest.mark.parametrize(
    ("looks", "states"),
    [
        ("nnnn", "uunn"),  # normal must be agreed on, at the start, too
        ("annn", "aaan"),  # an alarm counts at once, and ends when others agree
        ("nnnan", "uunaa"),
        ("nnntnnn", "uunnnnn"),  # noise, or a look between two contacts
        ("nnnttt", "uunnnt"),
        ("nnnooo", "uunnno"),
        ("nnntot", "uunnnt"),  # not normal, whatever it is
        ("nnntntntnt", "uunnnnnttt"),  # a wire that is fiddled with
        ("nnnuuu", "uunnnu"),
        ("nnnunun", "uunnnnn"),
        ("nnnununu", "uunnnnnu"),  # as often without an answer
        ("nnntttnnn", "uunnntttn"),
        ("uuunun", "uuuuuu"),
        ("ananan", "aaaaaa"),
        ("aooo", "aaao"),
        ("nnsnnn", "uuuuun"),
    ],
)
def test_which_changes_are_believed(looks: str, states: str) -> None:
    judge = LoopJudge(agree=3)
    assert "".join(LETTERS[judge.take(WORDS[letter])] for letter in looks) == states


def test_no_row_of_looks_makes_a_loop_normal_that_three_do_not_call_so() -> None:
    """All rows of seven looks, each with each: normal is only what the newest agree on, or what nothing has shaken."""
    for row in product("natu", repeat=7):
        judge = LoopJudge(agree=3)
        states = [judge.take(WORDS[letter]) for letter in row]
        for at, state in enumerate(states):
            if state == "normal":
                since = next(back for back in range(at, -1, -1) if row[back - 2 : back + 1] == ("n", "n", "n"))
                other = [one for one in row[since + 1 : at + 1] if one != "n"]
                assert len(other) < 3
                assert "a" not in other


def test_an_alarm_is_told_at_once_and_the_rest_when_it_is_sure(files: KernelFiles) -> None:
    line = Loop(files)
    line.be(R)
    with Bench(AlarmLoop(sysfs=files.root, sample_s=LOOKS)) as bench:
        assert bench.read() == {"state": "unknown"}
        for ohms, state, alarm, tamper in (
            (R, "normal", False, False),
            (2 * R, "alarm", True, False),
            (R, "normal", False, False),
            (CUT, "open", False, True),
            (R, "normal", False, False),
            (0, "short", False, True),
            (2 * R, "alarm", True, False),
            (20_000, "tamper", False, True),
        ):
            line.be(ohms)
            bench.until(lambda wanted=state: bench.readings[-1]["state"] == wanted)  # type: ignore[misc]
            expected = {"state": state, "alarm": alarm, "tamper": tamper}
            assert bench.readings[-1] == {**expected, "voltage": pytest.approx(volts(ohms), abs=STEP)}
        states = [one["state"] for one in bench.readings]
    assert states == ["unknown", "normal", "alarm", "normal", "open", "normal", "short", "alarm", "tamper"]


def fail(line: Loop, how: str) -> None:
    if how == "gone":
        line.folder.unlink()
    elif how == "at its end":
        line.hold(32767 * STEP)
    else:
        line.raw.unlink()
        line.raw.mkdir() if how == "mute" else line.raw.write_text("")


@pytest.mark.parametrize("how", ["gone", "mute", "empty", "at its end"])
def test_a_converter_that_does_not_answer_is_a_fault_and_never_normal(files: KernelFiles, how: str) -> None:
    line = Loop(files)
    line.be(R)
    loop = AlarmLoop(sysfs=files.root, sample_s=LOOKS)
    with Bench(loop) as bench:
        bench.until(lambda: bench.readings and bench.readings[-1]["state"] == "normal")
        fail(line, how)
        with pytest.raises(AssertionError, match="'state': 'unknown'"):  # of the bench: with what would be refused
            bench.until(lambda: False)
        found = loop.read()
        assert found["state"] == "unknown"
        assert all(isinstance(found[name], Failure) for name in ("alarm", "tamper", "voltage"))
        assert "ADS1115" in str(found["alarm"])


def test_a_converter_that_is_absent_at_the_start_is_a_fault(files: KernelFiles) -> None:
    loop = AlarmLoop(sysfs=files.root, sample_s=LOOKS)
    with Bench(loop) as bench:
        bench.until(lambda: isinstance(loop.seen, OSError))
        found = loop.read()
        assert found["state"] == "unknown"
        assert "ADS1115: no driver of the kernel offers a ads1115" in str(found["alarm"])


def test_a_converter_that_hangs_is_unknown_in_time(files: KernelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.alarm_loops.loop_sensor.OVERDUE_S", 0.3)
    line = Loop(files)
    line.be(R)
    loop = AlarmLoop(sysfs=files.root, sample_s=LOOKS)
    with Bench(loop) as bench:
        bench.until(lambda: bench.readings and bench.readings[-1]["state"] == "normal")
        held = os.open(line.folder.resolve(), os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)  # another process has the converter, and does not let go
        with pytest.raises(AssertionError, match="'state': 'unknown'"):
            bench.until(lambda: False)
        assert loop.read()["state"] == "unknown"
        assert "the converter has not answered for 0.3 s" in str(loop.read()["tamper"])
        os.close(held)
        bench.until(lambda: bench.readings[-1]["state"] == "normal")


def test_a_converter_that_is_asked_seldom_is_not_late(files: KernelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.alarm_loops.loop_sensor.OVERDUE_S", 1.0)
    line = Loop(files)
    line.be(R)
    loop = AlarmLoop(sysfs=files.root, sample_s=60.0, agree=1)
    with Bench(loop) as bench:
        bench.until(lambda: bench.readings and bench.readings[-1]["state"] == "normal")
        assert not loop.waits_for("overdue")


def test_a_value_that_never_changes_is_a_stuck_converter_if_its_owner_says_so(files: KernelFiles) -> None:
    line = Loop(files)
    line.be(R)
    loop = AlarmLoop(sysfs=files.root, sample_s=LOOKS, stuck_s=0.5)
    with Bench(loop) as bench:
        bench.until(lambda: bench.readings and bench.readings[-1]["state"] == "normal")
        with pytest.raises(AssertionError, match="'state': 'unknown'"):
            bench.until(lambda: False)
        assert "exactly 1.65 V for 0.5 s: the converter is stuck" in str(loop.read()["voltage"])


def test_what_it_is_to_home_assistant() -> None:
    assert dict(AlarmLoop(device_class="door").shown_as) == {"alarm": "door", "tamper": "tamper"}
