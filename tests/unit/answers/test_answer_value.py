"""Where a value is in an answer, and what it becomes."""

from typing import Any

import pytest

from bootstrap.answers.answer_value import AnswerValue, lines_of, measures_of, parsed

ANSWER: Any = {
    "main": {"temp": 21.5, "text": " warm ", "none": None, "huge": "1e3", "bool": True},
    "rooms": [{"name": "bath", "t": -0.0}, {"a name.x": 7}],
    "state": "1",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("temperature = main.temp °C", 21.5),
        ("temperature = main.temp", 21.5),
        ("kelvin = main.temp 0.1 K", 2.15),
        ("flow = main.huge l", 1000.0),
        ("remark = main.text text", "warm"),
        ("on = main.bool true|false", True),
        ("open = state 0=false|1=true", True),
        ("door = state 0=shut|1=open", "open"),
        ('level=rooms.1."a name.x" m', 7),
        ("brightness = state 100/255 %", 0.392156863),
        ("wind_avg = main.temp 1/2.5 m/s", 8.6),
        ("on = state 0=false|0.5..255=true", True),
        ("level = main.temp 0..9=low|10..30=middle", "middle"),
        ("temperature = rooms.0.t", 0.0),
        ("temperature = rooms.[name=bath].t", 0.0),
        ("temperature = main.temp|int", 21),
        ("temperature = main.temp|round °C", 22),
        ("kelvin = main.huge|round(1) K", 1000),
        ("temperature = main.gone|default(7.25)|round(1) °C", 7.2),
        ("remark = main.text|round text", "warm"),
        ("remark = main.gone|default(idle) text", "idle"),
        ('level = rooms.1."a name.x"|int m', 7),
    ],
)
def test_a_value_is_found(text: str, value: Any) -> None:
    found = AnswerValue(text)
    assert found.value(ANSWER) == value
    assert measures_of([found], {})[found.name].wrong(value) is None


def test_all_of_an_answer_can_be_the_value() -> None:
    assert AnswerValue("power = . W").value(parsed(" 250\n", "it")) == 250
    assert AnswerValue("temperature = a").value(lines_of("# no\na = -3.5\nb: 4\n", "it")) == -3.5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = main.non °C", "main has no 'non'; it has temp, text, none, huge, bool"),
        ("x = other °C", "the answer has no 'other'; it has main, rooms, state"),
        ("x = main.none °C", "main.none is null, not a value"),
        ("x = main °C", "main is an object, not a value"),
        ("x = rooms °C", "rooms is a list of 2, not a value"),
        ("x = rooms.2 °C", "rooms is a list of 2, which has no 2; places count from 0"),
        ("x = rooms.-1 °C", "rooms is a list of 2, which has no -1"),
        ("x = rooms.[name=hall].t °C", "rooms is a list of 2, of which none has name hall"),
        ("x = main.text|int °C", "main.text is 'warm', not a number"),
        ("x = main.none|default(3) °C", "main.none is null, not a value"),
        ("x = state.deep °C", "state is not an object that could have 'deep'"),
        ("x = main.text °C", "main.text is 'warm', not a number"),
        ("x = main.bool °C", "main.bool is 'true', not a number"),
        ("x = state on|off", "state is '1', not one of on, off"),
        ("x = main.text 0=false|1..9=true", "main.text is 'warm', not one of 0, 1..9"),
        ("x = main.temp 1..9=low|10..20=high", "'21.5' is not one of 1..9, 10..20"),
    ],
)
def test_what_is_not_there_is_told_and_never_made_up(text: str, why: str) -> None:
    found = AnswerValue(text).value(ANSWER)
    assert isinstance(found, ValueError)
    assert why in str(found)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("temperature", "write NAME = PATH"),
        ("temperature = ", "write NAME = PATH"),
        ("a b = main", "write NAME = PATH"),
        ("time = main s", "'time' cannot be the name of a measure"),
        ("x = main", "the form of {x} is none"),
        ("x = main..temp °C", "a path is names and numbers with dots between them"),
        ("x = .main °C", "a path is names and numbers with dots between them"),
        ("x = main °C 5..1", "the form of {x:°C 5..1} is none"),
    ],
)
def test_what_says_nothing_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="values such as ") as error:
        AnswerValue(text)
    assert why in str(error.value)


def test_a_name_is_there_once() -> None:
    twice = [AnswerValue("x = a m"), AnswerValue("x = b m")]
    with pytest.raises(ValueError, match="not 'x' again"):
        measures_of(twice, {})


@pytest.mark.parametrize("text", ["", "<html>", "{", "NaN", '{"a":Infinity}', "1" * 5000, "[" * 100_000])
def test_what_is_not_json(text: str) -> None:
    with pytest.raises(ValueError, match="the answer is not JSON: it "):
        parsed(text, "the answer")


def test_what_has_no_lines() -> None:
    with pytest.raises(ValueError, match=r"it has no line such as temperature=21\.5: it begins with 'hello'"):
        lines_of("hello\n", "it")
