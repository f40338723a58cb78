"""The kinds on plain lines, which are driven from outside: contacts, counters, knobs, and what is switched."""

import json
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.device import Device
from bootstrap.errors import NoReading, Refused
from bootstrap.paths import rewrite
from bootstrap.pins.edge_times import EdgeBatch
from bootstrap.pins.simulated_lines import SimulatedLine
from bootstrap.plain_lines.pulse_rate import MOST, PulseRate
from bootstrap.plain_lines.sounding_line import tones
from bootstrap.proof import DRIVEN_LINES
from bootstrap.runtime import kept_values
from daemons.anemometer import Anemometer
from daemons.buzzer import Buzzer
from daemons.contact import AnyContact
from daemons.cover import Cover
from daemons.dimmer import Dimmer
from daemons.fan import Fan
from daemons.heater import Heater
from daemons.knob import Knob
from daemons.lamp import Lamp
from daemons.leak import Leak
from daemons.meter import Meter
from daemons.output import SwitchedOutput
from daemons.rain_gauge import RainGauge
from daemons.relay import Relay
from daemons.servo import Servo
from daemons.tilt import Tilt
from daemons.valve import Valve
from penates.testing import Bench
from support.world import House

PIN, OTHER, PUSH = 17, 27, 22
MS = 1_000_000  # nanoseconds
KINDS = (
    AnyContact,
    Leak,
    SwitchedOutput,
    Cover,
    Heater,
    Relay,
    Valve,
    Dimmer,
    Buzzer,
    Servo,
    Fan,
    Knob,
    Anemometer,
    RainGauge,
    Tilt,
    Meter,
)
SMOKE: dict[str, Any] = {"measure": "smoke", "true_when": "open", "device_class": "smoke"}
SHUTTER: dict[str, Any] = {"measure": "shutter", "words": ["shut", "ajar"]}


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_proven_on_driven_lines(kind: type[Device]) -> None:
    assert {*kind.parts.values()} == {DRIVEN_LINES}


# Contacts.

CONTACTS: dict[str, tuple[Device, Any, Any]] = {  # each with what it says of a closed contact, and of an open one
    "leak": (Leak(pin=PIN, bounce_s=0.05), {"wet": True}, {"wet": False}),
    "tilt": (Tilt(pin=PIN, bounce_s=0.05), {"tilted": False}, {"tilted": True}),
    "contact": (AnyContact(pin=PIN), {"contact": True}, {"contact": False}),
    "smoke": (AnyContact(pin=PIN, **SMOKE), {"smoke": False}, {"smoke": True}),
    "shutter": (AnyContact(pin=PIN, **SHUTTER), {"shutter": "shut"}, {"shutter": "ajar"}),
}


@pytest.mark.parametrize("name", CONTACTS)
def test_a_contact_is_told_when_it_has_settled(name: str) -> None:
    device, closed, opened = CONTACTS[name]
    with Bench(device) as bench:
        assert bench.read() == opened
        for high in (False, True, False, True, False):
            bench.drive(PIN, high=high)
        bench.until(lambda: len(bench.readings) > 1)
        for high in (True, False, True):
            bench.drive(PIN, high=high)
        bench.drive(PIN, high=None)  # let go, it is pulled up
        bench.until(lambda: len(bench.readings) > 2)
        for high in (False, True):  # too short to count
            bench.drive(PIN, high=high)
        bench.drive(PIN, high=False)
        bench.until(lambda: len(bench.readings) > 3)
        assert bench.readings == [opened, closed, opened, closed]


@pytest.mark.parametrize("name", CONTACTS)
def test_a_contact_that_is_closed_at_the_start_is_read_so(name: str) -> None:
    device, closed, opened = CONTACTS[name]
    with Bench(device, driven={PIN: False}) as bench:
        assert bench.read() == closed
        bench.drive(PIN, high=True)
        bench.until(lambda: len(bench.readings) > 1)
        assert bench.readings == [closed, opened]


def test_a_contact_is_to_home_assistant_what_its_owner_says() -> None:
    smoke = AnyContact(pin=PIN, **SMOKE)
    assert ([*smoke.measures], dict(smoke.shown_as)) == (["smoke"], {"smoke": "smoke"})
    shutter = AnyContact(pin=PIN, **SHUTTER).measures["shutter"]
    assert (shutter.unit, shutter.words) == (str, ("shut", "ajar"))
    assert dict(AnyContact(pin=PIN).shown_as) == {}


@pytest.mark.parametrize("words", [[], ["one"], ["same", "same"], ["a", "b", "c"]])
def test_words_of_a_contact_are_two(words: list[str]) -> None:
    with pytest.raises(ValueError, match="'words' must be two different ones"):
        AnyContact(pin=PIN, words=words)
    with pytest.raises(ValueError, match="'device_class' is for true and false"):
        AnyContact(pin=PIN, words=["a", "b"], device_class="smoke")


# Counters.


def test_each_tip_of_a_bucket_counts_once_and_survives_a_restart(tmp_path: Path) -> None:
    gauge = RainGauge(pin=PIN, mm_per_tip=0.2)
    with Bench(gauge, tmp_path) as bench:
        for tips in (1, 2):
            for high in (False, True, False, True, False):
                bench.drive(PIN, high=high)
            bench.until(lambda wanted=tips: len(bench.readings) == wanted)  # type: ignore[misc]
            bench.drive(PIN, high=True)
            bench.until(lambda: not gauge.closed)
        assert bench.readings == [{"rain": 0.2}, {"rain": 0.4}]
    again = RainGauge(pin=PIN, mm_per_tip=0.2)
    with Bench(again, tmp_path, driven={PIN: False}) as bench:  # the bucket rests on its contact, which is no tip
        assert bench.read() == {"rain": 0.4}
        bench.drive(PIN, high=True)
        bench.until(lambda: not again.closed)
        assert bench.read() == {"rain": 0.4}


def tip(bench: Bench, gauge: RainGauge) -> None:
    """Have the bucket tip once."""
    tips = gauge.count.value
    bench.drive(PIN, high=False)
    bench.until(lambda: gauge.count.value > tips)
    bench.drive(PIN, high=True)
    bench.until(lambda: not gauge.closed)


def test_another_bucket_measures_what_falls_from_then_on(tmp_path: Path) -> None:
    for mm_per_tip, rain in ((0.2, 0.4), (0.5, 1.4), (0.5, 2.4), (0.2, 2.8)):
        with Bench(gauge := RainGauge(pin=PIN, mm_per_tip=mm_per_tip), tmp_path) as bench:
            tip(bench, gauge)
            tip(bench, gauge)
            assert bench.read() == {"rain": rain}


def test_a_power_cut_costs_a_rain_gauge_no_tip_that_is_older_than_a_second(tmp_path: Path) -> None:
    gauge = RainGauge(pin=PIN, mm_per_tip=0.2)
    with Bench(gauge, tmp_path) as bench:
        for tips in (1, 2, 3):
            bench.drive(PIN, high=False)
            bench.until(lambda wanted=tips: gauge.count.value == wanted)  # type: ignore[misc]
            bench.drive(PIN, high=True)
            bench.until(lambda: not gauge.closed)
        bench.until(lambda: gauge.count.saved == 3)


def test_a_tip_is_written_to_the_disk_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def note(file: Path, text: bytes, **more: Any) -> None:
        written.append(text)
        rewrite(file, text, **more)

    monkeypatch.setattr(kept_values, "rewrite", note)
    gauge = RainGauge(pin=PIN)
    with Bench(gauge, tmp_path) as bench:
        bench.drive(PIN, high=False)
        bench.until(lambda: gauge.count.saved == 1)
        bench.drive(PIN, high=True)
        bench.until(lambda: not gauge.closed)
        gauge.after(1.5 * gauge.write_s, lambda: None, name="wait")
        bench.until(lambda: not gauge.context.waits_for("wait"))
    assert [json.loads(one)["count"] for one in written] == [1]


def drive(bench: Bench, edges: list[tuple[int, bool, int]]) -> None:
    """Drive lines at these times in nanoseconds, in a thread, because a line holds few edges that nobody reads."""

    def run() -> None:
        for pin, high, at_ns in edges:
            SimulatedLine(pin).drive(high, at_ns)

    driver = threading.Thread(target=run)
    driver.start()
    bench.until(lambda: not driver.is_alive())
    driver.join()


def closings(pin: int, count: int, apart_ms: int, closed_ms: int) -> list[tuple[int, bool, int]]:
    """Return the edges of a contact that closes so often, the last time a moment ago."""
    now = time.monotonic_ns()
    times = [now - number * apart_ms * MS for number in range(count, 0, -1)]
    return [edge for at in times for edge in ((pin, False, at), (pin, True, at + closed_ms * MS))]


def bouncing(edges: list[tuple[int, bool, int]]) -> list[tuple[int, bool, int]]:
    """Return edges as a worn contact makes them: back after a millisecond, and there again after another."""
    return [(pin, high ^ (late == 1), at_ns + late * MS) for pin, high, at_ns in edges for late in range(3)]


def test_wind_is_counted_and_bounces_are_not() -> None:
    device = Anemometer(pin=PIN, factor=0.5, bounce_s=0.005)
    with Bench(device) as bench:
        with pytest.raises(NoReading):
            bench.read()
        bench.until(lambda: device.pulses.known_s >= 3)
        drive(bench, bouncing(closings(PIN, 7, apart_ms=100, closed_ms=20)))
        bench.until(lambda: round(device.pulses.highest(3) * 3) >= 7)
        before_s = device.pulses.known_s
        reading: Any = bench.read()
        assert reading["wind_max"] == round(0.5 * 7 / 3, 2)
        assert 0.5 * 7 / device.pulses.known_s - 0.005 <= reading["wind_avg"] <= 0.5 * 7 / before_s + 0.005


def test_calm_air_is_0_and_no_fault_wherever_the_cups_rest() -> None:
    device = Anemometer(pin=PIN)
    with Bench(device, driven={PIN: False}) as bench:
        bench.until(lambda: device.pulses.known_s >= 3)
        assert bench.read() == {"wind_avg": 0, "wind_max": 0}


def test_what_pulses_is_forgotten_in_time() -> None:
    rate = PulseRate(keep_s=10)
    now = time.monotonic_ns()
    times = [now - seconds * 1000 * MS for seconds in (3600, 11, 9, 8, 1)]
    rate.on_edges(EdgeBatch(times, bytes(len(times))))
    assert (rate.per_second(10), rate.highest(3)) == (0.3, 2 / 3)
    assert rate.frequency(10) == pytest.approx(2 / 8)
    assert rate.frequency(0.5) == 0


def test_more_pulses_than_are_kept_make_the_average_shorter_and_not_smaller() -> None:
    rate = PulseRate(keep_s=36_000)
    now = time.monotonic_ns()
    times = [now - number * 100 * MS for number in range(2 * MOST, 0, -1)]
    rate.on_edges(EdgeBatch(times, bytes(len(times))))
    assert rate.per_second(2 * MOST / 10) == pytest.approx(10, rel=0.01)


# Knobs.

TURN = ((PIN, False), (OTHER, False), (PIN, True), (OTHER, True))  # a step clockwise: the first contact leads
BACK = ((OTHER, False), (PIN, False), (OTHER, True), (PIN, True))


def turn(bench: Bench, *edges: tuple[int, bool]) -> None:
    for pin, high in edges:
        bench.drive(pin, high=high)


def test_a_knob_tells_steps_and_which_way() -> None:
    with Bench(Knob(clk=PIN, dt=OTHER)) as bench:
        assert bench.read() == {"position": 0}
        turn(bench, *TURN)
        bench.until(lambda: len(bench.readings) == 2)
        turn(bench, *BACK, *BACK)
        bench.until(lambda: len(bench.readings) == 3)
        assert bench.readings[1:] == [{"turned": 1, "position": 1}, {"turned": -2, "position": -1}]
        assert bench.read() == {"position": -1}


def test_a_contact_of_a_knob_that_bounces_is_no_step() -> None:
    with Bench(Knob(clk=PIN, dt=OTHER)) as bench:
        turn(bench, (PIN, False), (PIN, True), (PIN, False), (PIN, True))  # begun, and let go
        for pin, high in TURN:
            turn(bench, (pin, high), (pin, not high), (pin, high))
        bench.until(lambda: len(bench.readings) == 1)
        assert bench.readings == [{"turned": 1, "position": 1}]


def test_a_knob_that_rests_between_two_steps_at_the_start_begins_there() -> None:
    with Bench(Knob(clk=PIN, dt=OTHER, edges=2), driven={PIN: False, OTHER: False}) as bench:
        turn(bench, *TURN[2:])
        bench.until(lambda: len(bench.readings) == 1)
        assert bench.readings == [{"turned": 1, "position": 1}]


def test_the_button_of_a_knob_is_told_at_once() -> None:
    with Bench(Knob(clk=PIN, dt=OTHER, button=PUSH)) as bench:
        assert bench.read() == {"position": 0, "pressed": False}
        for high in (False, True, False):
            bench.drive(PUSH, high=high)
        bench.until(lambda: len(bench.readings) == 2)
        bench.drive(PUSH, high=True)
        bench.until(lambda: len(bench.readings) == 3)
        assert bench.readings[1:] == [{"pressed": True}, {"pressed": False}]


# What is switched.


def test_an_output_rests_as_its_owner_says() -> None:
    with Bench(SwitchedOutput(pin=PIN, safe=True)) as bench:
        assert (bench.level(PIN), bench.read()) == (1, {"on": True})
    with Bench(SwitchedOutput(pin=PIN, safe=True, active_high=False)) as bench:
        assert (bench.level(PIN), bench.read()) == (0, {"on": True})
        bench.act("set", "off")
        assert bench.level(PIN) == 1
    for kind in (SwitchedOutput, Lamp):
        with Bench(kind(pin=PIN, active_high=False)) as bench:
            assert (bench.level(PIN), bench.read()) == (1, {"on": False})


def test_an_output_goes_back_after_the_time_that_a_command_says() -> None:
    with Bench(SwitchedOutput(pin=PIN)) as bench:
        bench.act("set", {"state": "on", "for_s": 0.1})
        assert bench.level(PIN) == 1
        bench.until(lambda: bench.readings[-1] == {"on": False})
        assert bench.level(PIN) == 0
        bench.act("set", {"state": "on", "for_s": 3600})
        bench.act("set", "off")
        bench.act("set", "toggle")
        assert [reading["on"] for reading in bench.readings] == [True, False, True, False, True]


def test_a_dimmer_fades_and_comes_back_as_bright_as_it_was() -> None:
    with Bench(Dimmer(pin=PIN, frequency_hz=250, fade_s=0.1)) as bench:
        assert (bench.level(PIN), bench.read()) == (0, {"level": 0})
        bench.act("set", 40)
        bench.until(lambda: bench.readings[-1] == {"level": 40})
        assert bench.level(PIN) == 0.4
        for word, level in (("off", 0), ("on", 40)):
            bench.act("set", word)
            bench.until(lambda wanted=level: bench.readings[-1] == {"level": wanted})  # type: ignore[misc]
        bench.act("set", {"level": 100, "fade_s": 3600})
        assert bench.level(PIN) == pytest.approx(0.4, abs=0.1)  # it has begun
        count = len(bench.readings)
        bench.act("set", {"level": 7.5, "fade_s": 0})
        assert (bench.level(PIN), bench.readings[count:]) == (0.075, [{"level": 7.5}])


def test_a_line_is_modulated_as_its_settings_say() -> None:
    dimmer = Dimmer(pin=PIN, frequency_hz=250, active_high=False, fade_s=0)
    with Bench(dimmer) as bench:
        assert (bench.level(PIN), dimmer.line.frequency) == (1, 250)
        bench.act("set", 30)
        assert (bench.level(PIN), bench.readings) == (0.7, [{"level": 30}])


NO_DURATIONS: list[Any] = [-1, "", "2", False, [], {}]


@pytest.mark.parametrize(
    "value",
    [
        *(-0.1, 100.1, "half", True, {"fade_s": 1}, {"level": "x"}),
        *({"level": 5, "fade_s": wrong} for wrong in NO_DURATIONS),
    ],
)
def test_a_dimmer_refuses_what_is_no_level(value: Any) -> None:
    with Bench(Dimmer(pin=PIN)) as bench:
        with pytest.raises(Refused):
            bench.act("set", value)
        assert (bench.level(PIN), bench.readings) == (0, [])


def test_a_fan_runs_when_nobody_cares_and_stops_below_what_turns_it() -> None:
    with Bench(Fan(pin=PIN, lowest=20)) as bench:
        assert (bench.level(PIN), bench.read()) == (1, {"level": 100, "mode": "safe"})
        for asked, level in ((20, 20), (19.9, 0), (0, 0), (55.5, 55.5), ("on", 100), ("off", 0)):
            bench.act("set", asked)
            assert (bench.level(PIN), bench.readings[-1]) == (level / 100, {"level": level, "mode": "manual"})
    with Bench(Fan(pin=PIN, safe="off")) as bench:
        assert (bench.level(PIN), bench.read()) == (0, {"level": 0, "mode": "safe"})
        with pytest.raises(Refused, match="send one of on, off, or a number"):
            bench.act("set", "auto")
        bench.act("set", {"level": 100, "for_s": 0.05})
        bench.until(lambda: bench.readings[-1] == {"level": 0, "mode": "safe"})


CELLAR = "cm/cellar/data/temperature"
FOLLOWER: dict[str, Any] = {"follows": CELLAR, "starts_c": 30, "full_c": 40, "hysteresis_c": 2, "lowest": 20}


def test_a_fan_follows_a_temperature_and_does_not_start_and_stop_all_the_time() -> None:
    fan = Fan(pin=PIN, **FOLLOWER)
    with Bench(fan) as bench:
        assert bench.read() == {"level": 100, "mode": "safe"}  # nothing was heard yet
        steps = (
            (25, 0),
            (29.9, 0),
            (30, 20),
            (35, 60),
            (39, 92),
            (40, 100),
            (90, 100),
            (29.9, 20),
            (28.1, 20),
            (28, 0),
        )
        for celsius, level in (*steps, (29.9, 0), (30.5, 24)):
            bench.hear(CELLAR, celsius)
            assert (bench.level(PIN), bench.read()) == (level / 100, {"level": level, "mode": "following"}), celsius
        count = len(bench.readings)
        bench.hear(CELLAR, 30.5)
        assert len(bench.readings) == count  # what has not changed is not told again


@pytest.mark.parametrize(("safe", "level"), [("full", 100), ("off", 0)])
def test_a_fan_is_safe_while_nobody_knows_the_temperature(safe: Any, level: float) -> None:
    with Bench(Fan(pin=PIN, safe=safe, **FOLLOWER)) as bench:
        for why in ("is lost", "older than 180 s", "unreachable: no broker", "it was cleared"):
            bench.hear(CELLAR, 35)
            assert bench.readings[-1] == {"level": 60, "mode": "following"}
            bench.silence(CELLAR, why)
            assert (bench.level(PIN), bench.readings[-1]) == (level / 100, {"level": level, "mode": "safe"})


@pytest.mark.parametrize("value", ["warm", None, True, "nan", "inf", -127, [21], {"temperature": 21}])
def test_what_is_no_temperature_is_a_fault_and_the_fan_is_safe(value: Any) -> None:
    fan = Fan(pin=PIN, **FOLLOWER)
    with Bench(fan) as bench:
        bench.hear(CELLAR, 35)
        with pytest.raises(AssertionError, match="Refused"):
            bench.hear(CELLAR, value)
        found = fan.read()
        assert (bench.level(PIN), found["level"], type(found["mode"])) == (1, 100, Refused)
        bench.hear(CELLAR, 35)
        assert bench.readings[-1] == {"level": 60, "mode": "following"}


def test_a_command_counts_for_a_time_and_then_the_fan_follows_again() -> None:
    with Bench(Fan(pin=PIN, manual_s=0.2, **FOLLOWER)) as bench:
        bench.hear(CELLAR, 35)
        bench.act("set", 10)  # less than turns it
        assert bench.readings[-1] == {"level": 0, "mode": "manual"}
        bench.hear(CELLAR, 39)
        bench.silence(CELLAR, "is lost")
        bench.hear(CELLAR, 38)
        assert bench.readings[-1] == {"level": 0, "mode": "manual"}
        bench.until(lambda: bench.readings[-1] == {"level": 84, "mode": "following"})
        bench.act("set", {"level": "off", "for_s": 3600})
        bench.silence(CELLAR, "is lost")
        bench.act("set", "auto")
        assert bench.readings[-1] == {"level": 100, "mode": "safe"}


def test_a_command_may_count_until_it_is_taken_back() -> None:
    fan = Fan(pin=PIN, manual_s=0, **FOLLOWER)
    with Bench(fan) as bench:
        bench.act("set", "off")
        assert not fan.waits_for("back")
        bench.hear(CELLAR, 35)
        bench.act("set", {"level": "auto"})
        assert bench.readings == [{"level": 0, "mode": "manual"}, {"level": 60, "mode": "following"}]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"follows": "cm/+/data/temperature"}, "'follows' must be one topic"),
        ({"follows": "zigbee2mqtt/cellar"}, "'stale_s' must be set"),
        ({"starts_c": 40, "full_c": 40}, "'full_c' must be above 'starts_c', which is 40"),
    ],
)
def test_a_fan_follows_one_temperature_between_two(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Fan(pin=PIN, **settings)


def test_a_tacho_tells_turns_a_minute() -> None:
    with Bench(Fan(pin=PUSH, tacho=PIN, pulses=2)) as bench:
        assert bench.read() == {"level": 100, "mode": "safe"}  # it begins to turn
        drive(bench, closings(PIN, 20, apart_ms=25, closed_ms=10))
        bench.until(lambda: "rpm" in bench.read())
        assert bench.readings[-1] == {"level": 100, "mode": "safe", "rpm": 1200}


def test_a_fan_that_does_not_turn_is_a_fault_and_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.plain_lines.tacho.START_S", 0.0)
    fan = Fan(pin=PUSH, tacho=PIN)
    with Bench(fan) as bench:
        reading = fan.read()
        assert reading["level"] == 100
        assert str(reading["rpm"]) == "no pulse of the tacho on GPIO17: the fan is blocked, or not connected"
        bench.act("set", 0)
        assert bench.read() == {"level": 0, "mode": "manual", "rpm": 0}


def test_a_buzzer_plays_a_pattern_and_falls_silent() -> None:
    with Bench(Buzzer(pin=PIN, short_s=0.01)) as bench:
        assert (bench.level(PIN), bench.read()) == (0, {"sounding": False})
        bench.act("play", {"pattern": ".-", "times": 2})
        assert bench.level(PIN) == 1
        bench.until(lambda: bench.readings[-1] == {"sounding": False})
        assert (bench.level(PIN), bench.readings) == (0, [{"sounding": on} for on in (False, True, False)])


def test_a_buzzer_is_silent_in_time_whatever_it_was_told() -> None:
    with Bench(Buzzer(pin=PIN, short_s=10, longest_s=0.1)) as bench:
        for action, value in (("play", "---"), ("set", "on")):
            bench.act(action, value)
            assert (bench.level(PIN), bench.read()) == (1, {"sounding": True})
            bench.until(lambda: bench.readings[-1] == {"sounding": False})
            assert bench.level(PIN) == 0
        bench.act("play", "-")
        bench.act("set", "off")
        assert (bench.level(PIN), bench.readings[-1]) == (0, {"sounding": False})


def test_a_pattern_is_made_of_tones_and_pauses() -> None:
    assert [*tones(". -", 0.5)] == [(True, 0.5), (False, 0.5), (False, 1.0), (True, 1.5), (False, 0.5)]


@pytest.mark.parametrize(
    "value", ["", "x", "." * 101, 3, None, {"pattern": ".", "times": 0}, {"pattern": ".", "times": True}, {"times": 2}]
)
def test_a_buzzer_refuses_what_is_no_pattern(value: Any) -> None:
    with Bench(Buzzer(pin=PIN)) as bench:
        with pytest.raises(Refused):
            bench.act("play", value)
        assert bench.level(PIN) == 0


def pulse_widths(trace: Path) -> list[float]:
    """Return how long each pulse of a trace was, in microseconds."""
    edges = [(int(at), int(level)) for at, level in (row.split() for row in trace.read_text().splitlines())]
    return [(end - begin) / 1000 for (begin, level), (end, _) in pairwise(edges) if level]


@pytest.mark.parametrize(("angle", "wanted_us"), [(0, 500), (90, 1450), (180, 2400)])
def test_a_servo_gets_pulses_of_the_right_width_and_is_released(angle: int, wanted_us: int) -> None:
    with Bench(Servo(pin=PIN, hold_s=0.2)) as bench:
        with pytest.raises(NoReading):
            bench.read()
        trace = SimulatedLine(PIN).trace
        trace.touch()
        bench.act("set", angle)
        bench.until(lambda: bench.readings == [{"angle": angle}], 60)
        widths = pulse_widths(trace)
        assert len(widths) >= 10
        assert wanted_us <= min(widths) < 1.25 * wanted_us
        assert bench.level(PIN) == 0


def test_a_servo_s_range_has_an_order(house: House) -> None:
    house.device("it", f'kind = "servo"\npin = {PIN}\nlowest = 90\nhighest = 10\n')
    with pytest.raises(SettingsError) as error:
        check(house.folder)
    assert "devices/it.toml:3: 'lowest' must be at most 'highest', which is 10" in str(error.value)


def test_a_servo_turns_as_far_as_it_may() -> None:
    with Bench(Servo(pin=PIN, lowest=20, highest=160, hold_s=0.1)) as bench:
        for angle in (19.5, 160.5):
            with pytest.raises(Refused, match="send an angle from 20 to 160 degrees"):
                bench.act("set", angle)
        bench.act("set", 20)
        bench.act("set", {"angle": 160})
        bench.until(lambda: len(bench.readings) == 2, 60)
        assert bench.readings == [{"angle": 20}, {"angle": 160}]
