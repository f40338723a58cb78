"""The Pi's own PWM: which channel is on which line, what is written in which order, and who else has changed it."""

import shutil
from itertools import product
from pathlib import Path

import pytest

from bootstrap.errors import Refused
from bootstrap.pins import header_pwm
from bootstrap.pins.hardware_pwm import HardwarePwm, PwmState, changes, renewal
from daemons.dimmer import Dimmer
from daemons.fan import Fan
from penates.testing import Bench
from support.pwm import Exporting, PwmFiles

FAN = 25_000  # Hz
PERIOD = 40_000  # ns


@pytest.mark.parametrize(
    ("block", "lines", "channels"),
    [
        ("fe20c000.pwm", (18, 19), {18: 0, 19: 1}),
        ("fe20c000.pwm", (12, 13), {12: 0, 13: 1}),
        ("1f00098000.pwm", (12, 19), {12: 0, 19: 3}),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_line_has_the_channel_that_the_device_tree_says(
    tmp_path: Path, block: str, lines: tuple[int, ...], channels: dict[int, int], named: bool
) -> None:
    files = PwmFiles(tmp_path, *lines, block=block, chip=6, named=named)
    for line in header_pwm.LINES:
        if line in channels:
            found = header_pwm.find_channel(tmp_path, line)
            assert (found.chip, found.number, str(found)) == (
                files.chip,
                channels[line],
                f"channel {channels[line]} of pwmchip6",
            )
        else:
            drives = ", ".join(f"GPIO{one}" for one in lines)
            with pytest.raises(FileNotFoundError, match=f"no PWM on GPIO{line}; its PWM drives {drives}$"):
                header_pwm.find_channel(tmp_path, line)


def test_without_an_overlay_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no PWM on GPIO18; its PWM is off"):
        header_pwm.find_channel(tmp_path, 18)


STATES = [
    PwmState(period, duty, enabled, polarity)
    for period, duty, enabled, polarity in product((0, 100, 1000), (0, 60, 1000), (False, True), ("normal", "inversed"))
    if duty <= period and (period or not enabled)
]


@pytest.mark.parametrize("now", STATES, ids=str)
def test_no_step_on_the_way_is_one_that_the_kernel_refuses(now: PwmState) -> None:
    """As pwm_apply_state does, and drivers that want a channel disabled for another polarity."""
    for then in (PwmState(period, duty) for period in (50, 100, 2000) for duty in (0, 30, period)):
        files = {"period": now.period, "duty_cycle": now.duty, "enable": int(now.enabled)}
        polarity = now.polarity
        off = 0
        for name, text in changes(now, then):
            if name == "polarity":
                assert not files["enable"]
                polarity = text
                continue
            files[name] = int(text)
            off += (name, text) == ("enable", "0")
            assert files["duty_cycle"] <= files["period"]
            assert files["period"] or not files["enable"]
        assert (files, polarity) == ({"period": then.period, "duty_cycle": then.duty, "enable": 1}, "normal")
        assert off == (now.polarity != "normal" and now.enabled)  # otherwise it is never switched off on the way


@pytest.mark.parametrize("now", STATES, ids=str)
def test_a_line_that_is_off_against_its_files_is_made_to_obey(now: PwmState) -> None:
    """The kernel's core passes on only what differs from the files; a driver that gets something sets all of it."""
    files = {"period": now.period, "duty_cycle": now.duty, "enable": int(now.enabled)}
    line: dict[str, int] = {}
    then = PwmState(1000, 600)
    after = PwmState(now.period, now.duty - 1 if now.duty else 1, now.enabled, now.polarity) if now.enabled else now
    for name, text in [*renewal(now), *changes(after, then)]:
        if name != "polarity" and files[name] != int(text):
            files[name] = int(text)
            assert files["duty_cycle"] <= files["period"]
            line = dict(files)
    assert line == {"period": 1000, "duty_cycle": 600, "enable": 1}


def test_a_channel_that_was_exported_again_meanwhile_is_set_again(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 18)
    files.channel(0)
    line = HardwarePwm(tmp_path, 18, FAN, active_high=True, value=0.5)
    before = files.state(0)
    (files.chip / "pwm0").rename(files.chip / "before")
    files.channel(0, **before)
    with pytest.raises(OSError, match="something has taken channel 0 of pwmchip0 away"):
        line.verify()
    line.verify()


def test_a_line_does_what_is_set_and_goes_on_after_it_was_closed(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 18)
    with Exporting(files) as kernel:
        line = HardwarePwm(tmp_path, 18, FAN, active_high=True, value=1)
        assert (kernel.asked, files.high(0)) == ([0], 1)
        line.value = 0.3
        assert files.state(0) == {"period": "40000", "duty_cycle": "12000", "enable": "1", "polarity": "normal"}
        line.close()
        assert (line.closed, files.high(0)) == (True, 0.3)
        again = HardwarePwm(tmp_path, 18, FAN, active_high=False, value=0.3)  # what was exported is taken over
        assert (kernel.asked, files.high(0), again.value) == ([0], 0.7, 0.3)


def test_what_is_on_at_0_is_off_while_the_line_is_high(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 18)
    files.channel(0, period="1000", duty_cycle="1000", enable="1", polarity="inversed")
    line = HardwarePwm(tmp_path, 18, FAN, active_high=False, value=0)
    assert files.state(0) == {"period": "40000", "duty_cycle": "40000", "enable": "1", "polarity": "normal"}
    line.value = 1
    assert files.high(0) == 0


@pytest.mark.parametrize(
    ("file", "text", "shown"),
    [("duty_cycle", "0", "0 of 40000 ns"), ("enable", "0", "disabled"), ("polarity", "inversed", "inversed")],
)
def test_what_something_else_has_changed_is_told_and_set_again(
    tmp_path: Path, file: str, text: str, shown: str
) -> None:
    files = PwmFiles(tmp_path, 18)
    folder = files.channel(0)
    line = HardwarePwm(tmp_path, 18, FAN, active_high=True, value=0.5)
    line.verify()
    (folder / file).write_text(text)
    with pytest.raises(OSError, match=rf"something has changed channel 0 of pwmchip0 \(.*{shown}\); it was set again"):
        line.verify()
    line.verify()
    assert files.state(0) == {"period": "40000", "duty_cycle": "20000", "enable": "1", "polarity": "normal"}


def test_a_channel_that_was_taken_away_is_exported_again(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 18)
    with Exporting(files) as kernel:
        fan = Fan(pin=18, pwm="hardware", frequency_hz=FAN, sysfs=tmp_path, safe="off")
        with Bench(fan) as bench:
            bench.act("set", 40)
            shutil.rmtree(files.chip / "pwm0")
            with pytest.raises(OSError, match="something has taken channel 0 of pwmchip0 away; it was exported again"):
                bench.read()
            assert (kernel.asked, files.high(0), bench.read()["level"]) == ([0, 0], 0.4, 40)


def test_a_channel_that_could_not_be_set_again_stays_a_fault(tmp_path: Path) -> None:
    """The files of one that was exported again say what was set last, and the line does not do it."""
    files = PwmFiles(tmp_path, 18)
    files.channel(0)
    line = HardwarePwm(tmp_path, 18, FAN, active_high=True, value=0.5)
    before = files.state(0)
    (files.chip / "pwm0").rename(files.chip / "before")
    duty = files.channel(0, **before) / "duty_cycle"
    duty.unlink()
    duty.mkdir()  # nobody can write it
    for _ in range(2):
        with pytest.raises(OSError, match="channel 0 of pwmchip0"):
            line.verify()
    duty.rmdir()
    duty.write_text(before["duty_cycle"])
    with pytest.raises(OSError, match="it was exported again, and set"):
        line.verify()
    line.verify()


def test_a_fault_of_the_files_says_what_it_was(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 18)
    with pytest.raises(OSError, match=r"channel 0 of pwmchip0 does not take 0 in export: No such file"):
        HardwarePwm(tmp_path, 18, FAN, active_high=True, value=1)
    folder = files.channel(0)
    line = HardwarePwm(tmp_path, 18, FAN, active_high=True, value=1)
    (folder / "duty_cycle").write_text("")
    with pytest.raises(OSError, match=r"channel 0 of pwmchip0: its files hold .* not numbers"):
        line.verify()


def test_a_dimmer_by_hardware_fades_and_rests(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 12, 13)
    files.channel(1)
    dimmer = Dimmer(pin=13, pwm="hardware", frequency_hz=2000, fade_s=0.1, sysfs=tmp_path)
    with Bench(dimmer) as bench:
        assert (files.high(1), bench.read()) == (0, {"level": 0})
        bench.act("set", 80)
        bench.until(lambda: bench.readings[-1] == {"level": 80})
        assert (files.state(1)["period"], files.high(1), bench.level(13)) == ("500000", 0.8, None)
        with pytest.raises(Refused):
            bench.act("set", 101)
    assert files.high(1) == 0  # and nothing has taken the channel away, which would be low, too


def test_a_fan_by_hardware_rests_as_its_owner_says(tmp_path: Path) -> None:
    files = PwmFiles(tmp_path, 18)
    files.channel(0)
    for active_high, running in ((True, 1), (False, 0)):
        fan = Fan(pin=18, pwm="hardware", frequency_hz=FAN, sysfs=tmp_path, active_high=active_high)
        with Bench(fan) as bench:
            assert files.high(0) == running
            bench.act("set", 25)
            assert files.high(0) == pytest.approx(0.25 if active_high else 0.75)
        assert files.high(0) == running


def test_a_process_is_not_asked_for_more_than_it_can(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'frequency_hz' must be at most 1000 in software, not 25000; pwm = "):
        Fan(pin=18, frequency_hz=FAN)
    assert Fan(pin=18, pwm="hardware", frequency_hz=FAN, sysfs=tmp_path).facts() == {"pwm": "hardware"}
    assert Fan(pin=18).facts() == {"pwm": "software"}


@pytest.mark.parametrize(
    ("lines", "overlay"),
    [
        ([18], "pwm"),
        ([12], "pwm,pin=12,func=4"),
        ([18, 19], "pwm-2chan"),
        ([13, 12], "pwm-2chan,pin=12,func=4,pin2=13,func2=4"),
        ([19, 12], "pwm-2chan,pin=12,func=4,pin2=19,func2=2"),
    ],
)
def test_the_overlay_of_lines(lines: list[int], overlay: str) -> None:
    assert header_pwm.overlay(lines) == overlay
