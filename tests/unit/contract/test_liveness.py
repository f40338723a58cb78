"""How long silence is believed: one table, and whoever judges by it."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bootstrap.config.model import SensorSettings
from bootstrap.contract.liveness import GRACE_S, MISSED, is_alive, is_silent, patience_s
from bootstrap.contract.topics import Topics
from bootstrap.homeassistant.announcement import announcement
from penates.doctor import reported_state
from penates.doctor.findings import Verdict
from penates.fleet.already_running import running
from penates.fleet.fleet_view import FleetView, SeenSensor
from penates.fleet.leftover_topics import OwnSensors, find

TOPICS = Topics("cm", "cellar")
PERIOD_S = 20.0
LIMIT_S = MISSED * PERIOD_S + GRACE_S
NEARLY, JUST = LIMIT_S - 2, LIMIT_S + 2

# The state, how old the last heartbeat is in seconds (None: there never was one), and whether the sensor is alive.
TABLE = [
    ("online", 0.0, True),
    ("online", NEARLY, True),
    ("online", JUST, False),
    ("online", 1e6, False),
    ("online", None, True),
    ("starting", NEARLY, True),
    ("starting", JUST, False),
    ("fault", NEARLY, True),
    ("fault", JUST, False),
    ("stopped", 0.0, False),
    ("lost", 0.0, False),
    ("unreachable", 0.0, False),
    ("", 0.0, False),
]


def held(state: str, age_s: float | None, **more: Any) -> dict[str, bytes]:
    """What a broker holds of the sensor."""
    found = {TOPICS.status("state"): state.encode(), TOPICS.status("about"): b'{"host":"here"}'}
    if age_s is not None:
        moment = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
        beat = {"time": moment, "heartbeat_s": PERIOD_S, **more}
        found[TOPICS.status("heartbeat")] = json.dumps(beat).encode()
    return found


def seen(state: str, age_s: float | None) -> SeenSensor:
    return FleetView.of(held(state, age_s), time.monotonic()).sensors.get("cm/cellar", SeenSensor(TOPICS))


def test_the_rule() -> None:
    assert patience_s(PERIOD_S) == LIMIT_S
    assert not is_silent(1e9, 0)  # what has no period is never late
    assert not is_silent(None, PERIOD_S)


@pytest.mark.parametrize(("state", "age_s", "alive"), TABLE)
class TestEverybodyJudgesAlike:
    def test_the_rule_itself(self, state: str, age_s: float | None, alive: bool) -> None:
        assert is_alive(state, age_s, PERIOD_S) is alive

    def test_watch(self, state: str, age_s: float | None, alive: bool) -> None:
        ended = state in ("stopped", "lost", "unreachable", "")
        assert (seen(state, age_s).stale(time.monotonic()) == "no heartbeat") is (not alive and not ended)

    def test_doctor(self, state: str, age_s: float | None, alive: bool, cellar_settings: SensorSettings) -> None:
        about, *_ = reported_state.reported(replace(cellar_settings, heartbeat_s=PERIOD_S), seen(state, age_s), "")
        well = alive and state in ("online", "starting") and age_s is not None
        assert (about.verdict is Verdict.GOOD) is well

    def test_doctor_of_another_machine(self, state: str, age_s: float | None, alive: bool) -> None:
        about, *_ = reported_state.on_other_machines({"cm/cellar": seen(state, age_s)})
        assert (about.verdict is Verdict.GOOD) is (state == "stopped" or (alive and state in ("online", "starting")))

    def test_prune(self, state: str, age_s: float | None, alive: bool) -> None:
        own = OwnSensors({}, ["cm"], "here", "homeassistant")
        left = find(held(state, age_s), own, ["cm/cellar"], time.monotonic()).left
        assert any("is alive" in line for line in left) is alive

    def test_install(self, state: str, age_s: float | None, alive: bool) -> None:
        assert running(FleetView.of(held(state, age_s), time.monotonic())) == ({"cellar": "here"} if alive else {})


def test_home_assistant_waits_as_long() -> None:
    measure = {"unit": "V", "every_s": PERIOD_S}
    about = {"kind": "x", "measures": {"level": measure}, "actions": {}, "version": "1", "host": "here"}
    found = json.loads(announcement(TOPICS, {**about, "heartbeat_s": PERIOD_S}))["cmps"]
    assert {one["exp_aft"] for one in found.values() if "exp_aft" in one} == {LIMIT_S}
