"""A transmitter of radio sockets: what it sends on a real line is decoded by a real rtl_433."""

import re
import signal
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.air import Air, receivers
from support.heard_air import LEARNING, SWITCHES, WHEELS, RecordedAir, decoded, rows
from support.transmitters import new_remote
from support.world import Eyes, Running, Wires, eventually

T = TypeVar("T")
PIN = 17
KAKU = '[sensors.lamp]\ncode = "kaku 12345678 3"\n'
WHEEL = '[sensors.fan]\ncode = "kaku-old C7"\n'
DIP = '[sensors.heater]\ncode = "elro 11001 B"\n'
PINS = '[sensors.pump]\ncode = "pt2262 0FF0F0FF0F1F 1FF0F0FFF0F0"\n'
RAW = '[sensors.tree]\ncode = "raw c:01010102;p:400,800,9000;r:4 c:10100102;p:400,800,9000;r:4"\n'


def transmitter(wires: Wires, *sections: str, more: str = "") -> Running:
    return wires.run("air", f'kind = "socket"\npin = {PIN}\n{more}\n' + "\n".join(sections))


def same(heard: list[T], repeats: int) -> T:
    """What was heard at least so often; on a machine that is busy more was sent, and some of it is none."""
    found, count = Counter(heard).most_common(1)[0]
    assert count >= repeats, heard
    return found


def children_of(running: Running) -> list[int]:
    lists = Path(f"/proc/{running.pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def switch(eyes: Eyes, sensor: str, word: str) -> dict[str, Any]:
    """Have a socket switched, and wait until that was sent."""
    since = len(eyes.seen)
    answer = eyes.ask(f"cm/{sensor}", "set", word)
    assert answer["result"] == "done", answer
    eyes.wait_value(f"cm/{sensor}/data/on", value=word == "on", since=since)
    return answer


def test_what_is_sent_is_the_right_code_in_each_repeat(wires: Wires, eyes: Eyes) -> None:
    transmitter(wires, KAKU, WHEEL, DIP, PINS)
    for sensor in ("lamp", "fan", "heater", "pump"):
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    air = RecordedAir(wires.line(PIN))
    for word in ("on", "off"):
        switch(eyes, "lamp", word)
        lamp = [(one["id"], one["unit"], one["state"]) for one in decoded(air.pulses(), LEARNING)]
        assert same(lamp, 6) == (12345678, 1, word.upper())  # it counts the units of a group from the last
        switch(eyes, "heater", word)
        heater = [(one["id"], one["key"], one["state"]) for one in decoded(air.pulses(), SWITCHES)]
        assert same(heater, 8) == (0b11001, "B", word.upper())
        switch(eyes, "fan", word)
        fan = [(one["id"], one["channel"], one["button"], one["state"]) for one in decoded(air.pulses(), WHEELS)]
        assert same(fan, 1) == ("C", 2, 3, word)  # it says once what was repeated
        switch(eyes, "pump", word)
        assert same(rows(air.pulses()), 8) == ("{25}ebbae28" if word == "on" else "{25}2bbabb8")


def test_what_was_learnt_is_sent_as_it_was(wires: Wires, eyes: Eyes) -> None:
    transmitter(wires, RAW)
    eyes.wait_value("cm/tree/status/state", "online")
    air = RecordedAir(wires.line(PIN))
    switch(eyes, "tree", "on")
    pulses = [(round(pulse, -2), round(gap, -2)) for pulse, gap in air.pulses()]
    assert same([tuple(pulses[at : at + 3]) for at in range(0, len(pulses), 4)], 2) == ((400, 800),) * 3
    switch(eyes, "tree", "off")
    pulses = [(round(pulse, -2), round(gap, -2)) for pulse, gap in air.pulses()]
    assert same([tuple(pulses[at : at + 3]) for at in range(0, len(pulses), 4)], 2) == (
        (800, 400),
        (800, 400),
        (400, 800),
    )


def test_a_socket_shows_what_it_was_told_also_after_a_restart(wires: Wires, eyes: Eyes) -> None:
    running = transmitter(wires, KAKU)
    eyes.wait_value("cm/lamp/status/state", "online")
    refused = eyes.ask("cm/lamp", "set", "toggle")
    assert (refused["result"], refused["reason"]) == ("refused", "nobody knows whether it is on; send on or off")
    assert not eyes.on("cm/lamp/data/on"), "nobody has told it anything"
    switch(eyes, "lamp", "on")
    eyes.wait_value("cm/lamp/data/evidence", "assumed")
    about = eyes.on("cm/lamp/status/about")[-1].value
    assert about["measures"]["on"]["assumed"] is True
    assert running.stop() == 0
    since = len(eyes.seen)
    transmitter(wires, KAKU)
    eyes.wait_value("cm/lamp/data/on", value=True, since=since)
    assert eyes.ask("cm/lamp", "set", "toggle")["result"] == "done"
    eyes.wait_value("cm/lamp/data/on", value=False, since=since)


def test_our_own_receiver_confirms_what_was_sent_and_sees_other_remotes(
    wires: Wires, eyes: Eyes, tmp_path: Path
) -> None:
    """The loop is closed: what the transmitter has sent reaches the receiver, which publishes what it hears."""
    with closing(Air(tmp_path)) as air:
        remote = '[sensors.remote]\nmodel = "KlikAanKlikUit-Switch"\nid = 12345678\n'
        wires.house.device("stick", f'kind = "radio"\ninput = "{air.input}"\n{remote}')
        stick = wires.house.run("stick")
        transmitter(wires, KAKU + 'confirm = "cm/remote/data/unit_2"\n')
        for sensor in ("lamp", "remote", "stick"):
            eyes.wait_value(f"cm/{sensor}/status/state", "online")
        recorded = RecordedAir(wires.line(PIN))
        switch(eyes, "lamp", "on")
        eyes.wait_value("cm/lamp/data/evidence", "assumed")
        air.send(recorded.pulses())
        eyes.wait_value("cm/lamp/data/evidence", "heard")
        eventually(lambda: [one.count("-R") for one in receivers(stick)] in ([1], [2]), "only its decoders are on")
        since = len(eyes.seen)
        air.send(new_remote(12345678, 2, on=False))
        eyes.wait_value("cm/lamp/data/on", value=False, since=since)
    assert eyes.on("cm/lamp/data/evidence")[-1].value == "heard"


def test_more_airtime_than_is_allowed_is_refused_also_after_a_restart(wires: Wires, eyes: Eyes) -> None:
    little = "airtime_percent = 0.02"  # 0.72 s of an hour
    running = transmitter(wires, KAKU, more=little)
    eyes.wait_value("cm/lamp/status/state", "online")
    switch(eyes, "lamp", "on")
    answer = eyes.ask("cm/lamp", "set", "off")
    assert answer["result"] == "refused"
    assert re.fullmatch(
        r"0\.\d of 0\.7 s that are allowed in an hour were sent; this one may be sent in 36\d\d s", answer["reason"]
    ), answer
    assert running.stop() == 0
    eyes.wait_value("cm/air/data/refused", 1)
    assert eyes.on("cm/lamp/data/on")[-1].value is True
    transmitter(wires, KAKU, more=little)
    eyes.wait_value("cm/lamp/status/state", "online", len(eyes.seen))
    assert eyes.ask("cm/lamp", "set", "off")["result"] == "refused"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_end_in_the_middle_leaves_the_line_low(wires: Wires, eyes: Eyes, number: int) -> None:
    long = f"raw c:{'01' * 500};p:400,450;r:50 c:{'10' * 500};p:400,450;r:50"
    running = transmitter(wires, f'[sensors.long]\ncode = "{long}"\n')
    eyes.wait_value("cm/long/status/state", "online")
    air = RecordedAir(wires.line(PIN))
    eyes.ask("cm/long", "set", "on")
    eventually(air.edges, "it sends")
    children = children_of(running)
    running.send(number)
    running.wait()
    eventually(lambda: not any(Path(f"/proc/{child}").exists() for child in children), "its child has ended")
    assert children
    assert wires.held(PIN) == "0"


def test_two_transmitters_never_send_at_once(wires: Wires, eyes: Eyes) -> None:
    transmitter(wires, KAKU)
    wires.run("other", 'kind = "socket"\npin = 18\n' + WHEEL)
    for sensor in ("lamp", "fan"):
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    one, other = RecordedAir(wires.line(PIN)), RecordedAir(wires.line(18))
    since = len(eyes.seen)
    for word in ("on", "off", "on"):
        eyes.publish("cm/lamp/action/set", word)
        eyes.publish("cm/fan/action/set", word)
    for sensor in ("air", "other"):
        eyes.wait_value(f"cm/{sensor}/data/sent", 3, since)
    order = [
        line for _when, line in sorted((when, line) for line, air in ((1, one), (2, other)) for when, _ in air.edges())
    ]
    assert sum(before != after for before, after in pairwise(order)) <= 5, "six transmissions, one after the other"
