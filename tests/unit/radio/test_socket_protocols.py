"""The codes of radio sockets, and what is sent of them."""

import re

import pytest

from bootstrap.pins.pulse_frame import Frame, pairs
from bootstrap.radio.socket_protocols import SocketCode
from support.transmitters import Pulses, new_remote, old_remote


def sent(code: str, *, on: bool) -> Pulses:
    return [*pairs(SocketCode(code).frame(on=on).durations)]


def alike(one: Pulses, other: Pulses) -> bool:
    lengths = [(a, b) for pulse, same in zip(one, other, strict=True) for a, b in zip(pulse, same, strict=True)]
    return all(abs(a - b) <= 0.05 * b for a, b in lengths)


@pytest.mark.parametrize("on", [True, False])
def test_a_remote_and_the_transmitter_send_the_same(on: bool) -> None:
    for house, unit in (("A", 1), ("C", 7), ("P", 16)):
        assert alike(sent(f"kaku-old {house}{unit}", on=on), old_remote(house, unit, on=on, repeats=1))
    for id_, unit in ((1, 1), (12345678, 3), (67108863, 16)):
        assert alike(sent(f"kaku {id_} {unit}", on=on), new_remote(id_, unit - 1, on=on, repeats=1))


def test_equal_codes_are_equal_however_they_are_written() -> None:
    assert SocketCode("kaku  5   2") == SocketCode("kaku 5 2")
    assert str(SocketCode("kaku  5   2")) == "kaku 5 2"


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("nexa 5 2", 'one of "kaku 12345678 1"'),
        ("kaku 67108864 1", "an id up to 67108863"),
        ("kaku 5 17", "unit 1 to 16"),
        ("kaku 5", "unit 1 to 16"),
        ("kaku-old Q1", "A to P"),
        ("kaku-old A0", "1 to 16"),
        ("elro 110011 B", "five switches"),
        ("elro 11001 F", "A to E"),
        ("pt2262 0FF 0F0", "twelve of 0, 1 and F"),
        ("raw c:01;p:400,800", "penates radio learn"),
        ("raw c:02;p:400,800 c:01;p:400,800", "below 2"),
        ("raw c:010;p:400,800 c:01;p:400,800", "an even number of durations"),
        ("raw c:01;p:10,800 c:01;p:400,800", "from 50 to 200000 µs"),
        (f"raw c:{'01' * 600};p:400,800 c:01;p:400,800", "at most 1022"),
        (f"raw c:{'01' * 500};p:400,800 c:01;p:400,800", "at most 450000 µs"),
        ("raw c:01;p:400,800;r:51 c:01;p:400,800", "1 to 50 times"),
    ],
)
def test_a_wrong_code_says_what_instead(code: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wanted)):
        SocketCode(code)


def test_pulses_are_text_and_back() -> None:
    frame = Frame((350, 1050, 1050, 350, 350, 10850), 7)
    assert str(frame) == "c:011002;p:350,1050,10850;r:7"
    assert Frame.parse(str(frame)) == frame
    assert frame.on_air_us == 350 + 1050 + 1050 + 350 + 350
