"""Covers as processes: what goes over the wire, and what becomes of a motor that turns when its process ends."""

import json
import random
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.relays import RelayHistory
from support.world import Eyes, Running, Wires, eventually

OPENS, CLOSES, BUTTON = 17, 27, 22
AT_CLOSED, AT_OPEN, BEAM, LOCAL, LIGHT = 5, 6, 13, 19, 26
DEAD_S = 0.3
IT = "cm/it"
ENDS = f"closed_contact = {AT_CLOSED}\nopen_contact = {AT_OPEN}\n"
DOOR = f'kind = "cover"\nopens = {OPENS}\ncloses = {CLOSES}\ndead_s = {DEAD_S}\nbounce_s = 0.01\n'
SHUTTER = f'{DOOR}type = "shutter"\n'
SECTIONAL = (
    f'{DOOR}{ENDS}type = "sectional"\nobstruction = {BEAM}\nlocal = {LOCAL}\nremote_close = true\n'
    f"warning = {LIGHT}\nwarn_s = 5\nstops_itself = true\n"
)


@pytest.fixture
def relays(wires: Wires) -> RelayHistory:
    """Both relays of a cover that is closed, with nothing in its way."""
    for line, high in ((AT_CLOSED, False), (AT_OPEN, True), (BEAM, False), (LOCAL, True)):
        wires.line(line).drive(high)
    return RelayHistory([OPENS, CLOSES], wires.folder)


def states(eyes: Eyes) -> list[str]:
    """The states on the wire, each once while it lasts."""
    told = [one.value for one in eyes.on(f"{IT}/data/state")]
    return [state for at, state in enumerate(told) if at == 0 or state != told[at - 1]]


def started(wires: Wires, eyes: Eyes, text: str) -> Running:
    since = len(eyes.seen)
    running = wires.run("it", text)
    eyes.wait_online("it", since=since)
    return running


def taken(eyes: Eyes) -> Any:
    """What its commands may be, as it says itself."""
    topic = f"{IT}/status/about"
    (about,) = eyes.wait(lambda seen: [one.value for one in seen if one.topic == topic], "about")
    return about["actions"]["set"]


def opened(wires: Wires, eyes: Eyes) -> None:
    assert eyes.ask_soon(IT, "set", "open")["result"] == "done"
    eyes.wait_value(f"{IT}/data/state", "opening")
    changed(wires, eyes, AT_CLOSED, high=True)
    changed(wires, eyes, AT_OPEN, high=False)
    eyes.wait_value(f"{IT}/data/state", "open")


def changed(wires: Wires, eyes: Eyes, line: int, *, high: bool) -> None:
    """Drive a line, and wait until that was noticed."""
    since = len(eyes.on(f"{IT}/data/state"))
    wires.line(line).drive(high)
    eyes.wait(lambda _: len(eyes.on(f"{IT}/data/state")) > since, "a reading after the edge")


def test_a_door_opens_and_closes_over_the_wire(wires: Wires, eyes: Eyes, relays: RelayHistory) -> None:
    light = RelayHistory([LIGHT], wires.folder)
    running = started(wires, eyes, SECTIONAL + "opening_s = 20\n")
    assert taken(eyes) == {
        "words": ["open", "close", "stop"],
        "unit": "%",
        "low": 0,
        "high": 100,
        "sets": "state",
        "expires": True,
        "once": ["open", "close"],
        "control": "cover",
    }
    opened(wires, eyes)
    eyes.wait_value(f"{IT}/data/position", 100)
    assert eyes.ask_soon(IT, "set", "close")["result"] == "done"
    eyes.wait_value(f"{IT}/data/warning_on", value=True)
    assert wires.held(LIGHT) == "1"
    eyes.wait_value(f"{IT}/data/state", "closing")
    changed(wires, eyes, AT_OPEN, high=True)
    changed(wires, eyes, AT_CLOSED, high=False)
    eyes.wait(lambda _: states(eyes)[-1] == "closed", "closed")
    assert running.stop() == 0
    assert states(eyes) == ["closed", "opening", "open", "closing", "closed"]
    assert (wires.held(OPENS), wires.held(CLOSES), wires.held(LIGHT)) == ("0", "0", "0")
    relays.check(DEAD_S)
    (began,) = [at for at, line, on in relays.levels() if line == CLOSES and on]
    (warned,) = [at for at, _line, on in light.levels() if on]
    assert began - warned >= 5e9


ENDINGS = {"stop": signal.SIGTERM, "kill": signal.SIGKILL}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_motor_that_turns_is_off_after_the_end_and_its_next_turn_waits(
    wires: Wires, eyes: Eyes, relays: RelayHistory, ending: str
) -> None:
    running = started(wires, eyes, SHUTTER)
    assert eyes.ask_soon(IT, "set", "open")["result"] == "done"
    eyes.wait_value(f"{IT}/data/state", "opening")
    assert (wires.held(OPENS), wires.held(CLOSES)) == ("1", "0")
    running.send(ENDINGS[ending])
    running.wait()
    assert (wires.line(OPENS).output(), wires.line(CLOSES).output()) == (None, None)  # nobody holds them
    if ending == "kill":
        assert wires.house.penates("safe", "it", program=None, **wires.env).returncode == 0
    assert (wires.held(OPENS), wires.held(CLOSES)) == ("0", "0")
    started(wires, eyes, SHUTTER)
    assert eyes.ask_soon(IT, "set", "close")["result"] == "done"
    eyes.wait_value(f"{IT}/data/state", "closing")
    relays.check(DEAD_S)
    assert relays.switched_on == [OPENS, CLOSES]


def test_a_reload_stops_a_motor_that_turns(wires: Wires, eyes: Eyes, relays: RelayHistory) -> None:
    running = started(wires, eyes, SHUTTER)
    assert eyes.ask_soon(IT, "set", "open")["result"] == "done"
    eyes.wait_value(f"{IT}/data/state", "opening")
    wires.house.device("it", SHUTTER + "longest_s = 50\n")
    running.send(signal.SIGHUP)
    eyes.wait(lambda _: len(eyes.on(f"{IT}/status/about")) > 1, "the new settings")
    assert wires.held(OPENS) == "0"
    assert eyes.ask_soon(IT, "set", "close")["result"] == "done"
    eyes.wait_value(f"{IT}/data/state", "closing")
    relays.check(DEAD_S)


def test_a_door_that_was_closing_when_its_process_was_killed_needs_somebody(
    wires: Wires, eyes: Eyes, relays: RelayHistory
) -> None:
    running = started(wires, eyes, SECTIONAL)
    opened(wires, eyes)
    assert eyes.ask_soon(IT, "set", "close")["result"] == "done"
    eyes.wait_value(f"{IT}/data/state", "closing")
    running.send(signal.SIGKILL)
    running.wait()
    assert wires.house.penates("safe", "it", program=None, **wires.env).returncode == 0
    since = len(eyes.seen)
    started(wires, eyes, SECTIONAL)
    eyes.wait_value(f"{IT}/data/needs_person", value=True, since=since)
    assert "somebody who sees it" in eyes.ask_soon(IT, "set", "close")["reason"]
    changed(wires, eyes, AT_OPEN, high=True)
    changed(wires, eyes, AT_CLOSED, high=False)
    eyes.wait_value(f"{IT}/data/needs_person", value=False, since=since)
    relays.check(DEAD_S)


def test_an_obstruction_stops_it_and_the_button_beside_it_works(wires: Wires, eyes: Eyes, relays: RelayHistory) -> None:
    started(wires, eyes, f'{DOOR}{ENDS}type = "gate"\nobstruction = {BEAM}\nlocal = {LOCAL}\n')
    opened(wires, eyes)
    assert "send one of open, stop" in eyes.ask_soon(IT, "set", "close")["reason"]
    wires.line(LOCAL).drive(False)
    eyes.wait_value(f"{IT}/data/state", "closing")
    changed(wires, eyes, AT_OPEN, high=True)
    changed(wires, eyes, BEAM, high=True)
    eyes.wait_value(f"{IT}/data/state", "stopped")
    assert wires.held(CLOSES) == "0"
    eyes.wait_value(f"{IT}/data/obstructed", value=True)
    relays.check(DEAD_S)


def test_contacts_that_cannot_be_true_are_a_fault_with_its_reason(
    wires: Wires, eyes: Eyes, relays: RelayHistory
) -> None:
    started(wires, eyes, SHUTTER + ENDS)
    wires.line(AT_OPEN).drive(False)
    eyes.wait_value(f"{IT}/data/state", "unknown")
    eyes.wait_value(f"{IT}/status/state", "fault")
    assert "both ends" in eyes.ask_soon(IT, "set", "open")["reason"]
    since = len(eyes.seen)
    wires.line(AT_CLOSED).drive(True)
    eyes.wait_value(f"{IT}/data/state", "open", since=since)
    eyes.wait_online("it", since=since)
    assert relays.switched_on == []


def test_a_position_of_the_run_before_is_cleared(wires: Wires, eyes: Eyes) -> None:
    eyes.publish(f"{IT}/data/position", "40", retain=True)
    started(wires, eyes, SHUTTER + "opening_s = 20\n")
    eyes.wait(lambda _: eyes.on(f"{IT}/data/position")[-1].payload == b"", "it is cleared")
    assert "nobody knows its position yet" in eyes.ask_soon(IT, "set", 50)["reason"]
    assert json.loads(eyes.on(f"{IT}/status/health")[-1].payload)["position"]["health"] == "ok"


def test_commands_that_are_none_and_those_that_come_late_or_twice_move_nothing(
    wires: Wires, eyes: Eyes, relays: RelayHistory
) -> None:
    chance = random.Random(20)
    started(wires, eyes, SECTIONAL)
    opened(wires, eyes)
    count = len(relays.switched_on)
    plain = [b"open", b"close", b'{"value":"close","id":"1"}']  # without `before`
    for payload in (*(wrong(chance) for _ in range(80)), *plain):
        assert eyes.ask(IT, "set", payload)["result"] == "refused", payload
    eyes.publish(f"{IT}/action/set", soon("close"), retain=True)
    eyes.wait(lambda _: "retained" in str(eyes.on(f"{IT}/status/action")[-1].value["reason"]), "refused")
    assert eyes.ask(IT, "set", late := soon("close"))["result"] == "done"  # it warns
    assert eyes.ask(IT, "set", "stop")["result"] == "done"
    assert "has come before" in eyes.ask(IT, "set", late)["reason"]
    assert "expired" in eyes.ask(IT, "set", soon("close", -1))["reason"]
    assert "at most 60 s ahead" in eyes.ask(IT, "set", soon("close", 3600))["reason"]
    assert len(relays.switched_on) == count
    assert wires.held(LIGHT) == "0"


def soon(value: Any, within_s: float = 50) -> str:
    return json.dumps({"value": value, "before": (datetime.now(UTC) + timedelta(seconds=within_s)).isoformat()})


def wrong(chance: random.Random) -> bytes:
    """A payload that is no command, or none that this door knows."""
    whole = soon(
        chance.choice(["press", "toggle", "Close", "close ", 50, -1, 1e9, True, None, [], {"state": "close", "x": 1}])
    )
    cut = whole[: chance.randrange(1, len(whole) - 1)]
    flipped = bytearray(cut.encode())
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return chance.choice([whole.encode(), cut.encode(), bytes(flipped), chance.randbytes(chance.randrange(1, 50))])


def test_an_opener_with_one_button_opens_and_never_closes(wires: Wires, eyes: Eyes, relays: RelayHistory) -> None:
    button = RelayHistory([BUTTON], wires.folder)
    settings = f'type = "one-piece"\nbutton = {BUTTON}\nclosed_contact = {AT_CLOSED}\npulse_s = 0.1\nbounce_s = 0.01\n'
    started(wires, eyes, f'kind = "cover"\n{settings}')
    assert taken(eyes) == {"words": ["press"], "sets": "state", "expires": True, "once": ["press"], "control": "cover"}
    assert eyes.ask_soon(IT, "set", "press")["result"] == "done"
    wires.line(AT_CLOSED).drive(True)
    eyes.wait_value(f"{IT}/data/state", "opening")
    eventually(lambda: wires.held(BUTTON) == "0", "it is released")
    assert "a push may close it" in eyes.ask_soon(IT, "set", "press")["reason"]
    assert button.switched_on == [BUTTON]
    assert relays.levels() == []
