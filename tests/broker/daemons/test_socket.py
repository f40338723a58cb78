"""A transmitter of radio sockets: what it sends on a real line is decoded by a real rtl_433."""

from collections import Counter
from typing import Any, TypeVar

from support.heard_air import LEARNING, SWITCHES, WHEELS, RecordedAir, decoded, rows
from support.world import Eyes, Running, Wires

T = TypeVar("T")
PIN = 17
KAKU = '[sensors.lamp]\ncode = "kaku 12345678 3"\n'
WHEEL = '[sensors.fan]\ncode = "kaku-old C7"\n'
DIP = '[sensors.heater]\ncode = "elro 11001 B"\n'
PINS = '[sensors.pump]\ncode = "pt2262 0FF0F0FF0F1F 1FF0F0FFF0F0"\n'
RAW = '[sensors.tree]\ncode = "raw c:01010201;p:400,800,9000;r:4 c:01010101010201;p:400,800,9000;r:4"\n'


def transmitter(wires: Wires, *sections: str, more: str = "") -> Running:
    return wires.run("air", f'kind = "socket"\npin = {PIN}\n{more}\n' + "\n".join(sections))


def same(heard: list[T], repeats: int) -> T:
    """What was heard at least so often; on a machine that is busy more was sent, and some of it is none."""
    found, count = Counter(heard).most_common(1)[0]
    assert count >= repeats, heard
    return found


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
