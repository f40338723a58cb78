"""Patterns of lines: what a line says by them, and what is no pattern."""

import time
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.device import Measure
from bootstrap.serial_lines.line_repeats import LineRepeats
from bootstrap.serial_lines.pattern import LinePattern

REMOTE = "RC,{id},{measure:10000=a|01000=b},{value:event 0=off|1=on}"
TEMP = "TEMP,{id},{temperature}"


@pytest.mark.parametrize(
    ("pattern", "line", "sender", "values"),
    [
        (TEMP, "TEMP,5,21.5", 5, {"temperature": 21.5}),
        (TEMP, "  TEMP,5,-0.5 \r", 5, {"temperature": -0.5}),
        (TEMP, "TEMP,005,+.5", "005", {"temperature": 0.5}),
        (TEMP, "TEMP,a-1.b:2,1e1", "a-1.b:2", {"temperature": 10}),
        ("H{id}:{humidity:0.1 %}", "H7:432", 7, {"humidity": 43.2}),
        ("{id}:{level:100/1023 %}", "7:1023", 7, {"level": 100}),
        ("{id}:{soil:0..300=dry|301..1023=wet}", "7:412", 7, {"soil": "wet"}),
        ("{id} {co2:10 ppm 0..5000}", "7 \t 40", 7, {"co2": 400}),
        ("{{{id}}}={temperature}", "{7}=1", 7, {"temperature": 1}),
        ("{id=roof}{uv} {_} {remark:text}", "1.5 what ever it is", "roof", {"uv": 1.5, "remark": "ever it is"}),
        ("D-{id}-{id}-{open:0=false|1=true}", "D-1-02-1", "1-02", {"open": True}),
        ("{id}/{window:shut|half=tilted}", "1/half", 1, {"window": "tilted"}),
        ("{id} {measure:T=temperature|H=humidity} {value}", "1 H 47", 1, {"humidity": 47}),
        (REMOTE, "RC,00100,01000,0", "00100", {"b": "off"}),
    ],
)  # fmt: skip
def test_a_line_says_who_and_what(pattern: str, line: str, sender: int | str, values: dict[str, Any]) -> None:
    said = LinePattern(pattern).said(line)
    assert said
    assert (said.sender, said.values) == (sender, values)
    assert [said.measures[name].wrong(value) for name, value in values.items()] == [None] * len(values)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (TEMP, "TEMP,5,"),
        (TEMP, "TEMP,5,21.5,"),
        (TEMP, "TEMP,5,2~.5"),
        (TEMP, "TEMP,,21.5"),
        (TEMP, "TEMP,5,21,5"),
        (TEMP, "xTEMP,5,21"),
        (TEMP, "TEMP,5,٣"),  # a digit elsewhere
        (REMOTE, "RC,00100,11000,1"),
        (REMOTE, "RC,00100,10000,2"),
        (TEMP, "TEMP," + "5" * 60_000),
    ],
)
def test_another_line_says_nothing(pattern: str, line: str) -> None:
    assert LinePattern(pattern).said(line) is None


def test_no_line_takes_long_to_say_nothing() -> None:
    pattern = LinePattern("{_}a{_}a{_}a{id}a{remark:text}a{temperature}")
    began = time.process_time()
    for line in ("a" * 60_000, "a1" * 30_000, "1" * 60_000):
        assert pattern.said(line) is None
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", ["nan", "-NAN", "inf", "ovf"])
def test_what_stands_for_no_number_is_a_failure_of_its_measure(text: str) -> None:
    said = LinePattern(TEMP).said(f"TEMP,5,{text}")
    assert said
    assert said.measures["temperature"].wrong(said.values["temperature"]) == f"'{text}' came in place of a number"


def test_what_a_field_declares() -> None:
    text = "{id} {temperature:°C -40..85} {humidity} {rain:0.3} {hits:counter 1} {gas:V} {word:event up|down}"
    assert {name: form.measure for name, form in LinePattern(text).forms.items()} == {
        "temperature": Measure("°C", low=-40, high=85, step=10),
        "humidity": Measure("%", low=0, high=100, step=50),
        "rain": Measure("mm", low=0, high=100_000, step=100, counter=True),
        "hits": Measure("1", counter=True),
        "gas": Measure("V"),
        "word": Measure(str, words=("up", "down"), event=True),
    }


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("TEMP,{id}", "no field is a measure, such as {temperature}"),
        ("TEMP,{temperature}", "who it is about is missing: {id}, or {id=NAME} for lines that do not say it"),
        ("{id},{foo}", "the form of {foo} is none, as those in {co2:ppm}"),
        ("{id},{foo:3}", "the form of {foo:3}"),
        ("{id},{foo:0 V}", "the form of {foo:0 V}"),
        ("{id},{foo:V A}", "the form of {foo:V A}"),
        ("{id}{temperature}", "nothing tells where a field ends"),
        ("{id},{temperature", "a { without its other half"),
        ("{id},{a:x|}", "words such as 0=off|1=on"),
        ("{id},{a:x|x}", "words such as 0=off|1=on"),
        ("{id},{time:s}", "'time' cannot be the name of a measure"),
        ("{id},{a b:s}", "'a b' cannot be the name of a measure"),
        ("{id},{x:text counter}", "the form of {x:text counter}"),
        ("{id},{x:counter text}", "no number, so it cannot be a counter"),
        ("{id},{temperature},{temperature}", "{temperature} is there twice"),
        ("{id},{measure:a=b}", "one without the other means nothing"),
        ("{id},{measure:a=time} {value:s}", "'time' cannot be the name of a measure"),
        ("{id:5},{temperature}", "an id is {id}, or {id=NAME}"),
        ("{id=ü},{temperature}", "an id is {id}, or {id=NAME}"),
        ("{id},{temperature:°C 5..1}", "the form of {temperature:°C 5..1}"),
    ],
)
def test_what_is_no_pattern_is_said(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"patterns of lines \(of ") as caught:
        LinePattern(pattern)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('patterns = ["TEMP,{id}"]', "lines.toml:3: 'patterns' must be patterns of lines (of 'TEMP,{id}': no field"),
        ('patterns = ["{id} {temperature}", "{id} {temperature:K}"]', "say two different things of 'temperature'"),
        ('patterns = ["{id} {temperature}"]\nbaud = 9601', "9601 is not a serial port's speed"),
        ('patterns = ["{id} {temperature}"]\n[sensors.a]\nid = 5\n[sensors.b]\nid = "5"', "already adopted as 'a'"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path: Path, settings: str, why: str) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "house.toml").write_text('group = "cm"\n[broker]\nhost = "127.0.0.1"\n')
    (tmp_path / "devices" / "lines.toml").write_text(f'kind = "lines"\nport = "/dev/ttyUSB0"\n{settings}\n')
    with pytest.raises(SettingsError) as caught:
        check(tmp_path)
    assert why in str(caught.value)


def repeats(within_s: float, *heard: tuple[float, str]) -> list[bool]:
    known, found = LineRepeats(within_s), []
    for at, line in heard:
        said = LinePattern(REMOTE).said(line) or LinePattern(TEMP).said(line)
        assert said
        found.append(known.is_one(said, line, at))
    return found


def test_a_button_that_is_held_is_pressed_once() -> None:
    on, off, other = "RC,00100,10000,1", "RC,00100,10000,0", "RC,00100,01000,1"
    assert repeats(0.5, (1, on), (1.4, on), (1.8, on), (2.2, on), (2.8, on)) == [False, True, True, True, False]
    assert repeats(0.5, (1, on), (1.1, off), (1.2, on), (1.3, other), (1.4, on)) == [False, False, False, False, True]


def test_a_value_that_stays_is_new_again_after_a_while() -> None:
    same = "TEMP,5,21.5"
    assert repeats(0.5, (1, same), (1.2, same), (1.4, same), (1.6, same), (1.8, same)) == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_the_memory_of_repeats_is_bounded() -> None:
    heard = [(1.0, f"TEMP,{number},1") for number in range(201)]
    assert repeats(0.5, *heard, (1.1, "TEMP,200,1"), (1.1, "TEMP,0,1"))[-2:] == [True, False]
