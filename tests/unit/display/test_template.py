"""Text for a display: what its fields mean, and where it is wrong."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootstrap.contract.payload import Json
from bootstrap.display.alert_rule import AlertRule
from bootstrap.display.heard_values import age_text, value_text
from bootstrap.display.template import DisplayText, TextField
from bootstrap.needs import Listened


def test_a_page_listens_to_exactly_what_it_names() -> None:
    page = DisplayText("{cm/cellar/temperature:.1f}°C {cm/cellar!age}\n{{x}} {cm/door!state} {=tele/tank#a.b:>4}")
    assert page.needs() == [
        Listened("cm/cellar/data/temperature"),
        Listened("cm/cellar/status/heartbeat"),
        Listened("cm/door/status/state"),
        Listened("cm/door/status/heartbeat"),
        Listened("tele/tank"),
    ]
    assert page.fields[3] == TextField("tele/tank", ("a", "b"), "", ">4")
    assert [part for line in page.lines for part in line if part and isinstance(part, str)] == [
        *("°C ", "{", "x", "}", " ", " ")
    ]


WRONG = {
    "a {cm/cellar": "line 1, character 3: a { without its other half",
    "a\nbc}": "line 2, character 3: a } without its other half",
    "{cm/cellar}": "a measure is {GROUP/SENSOR/MEASURE}, and another topic is {=TOPIC}",
    "{temperature}": "a measure is",
    "{}": "a measure is",
    "{cm/cellar/temp er}": "ASCII letters",
    "{cm/cellar!old}": "{GROUP/SENSOR!age} or {GROUP/SENSOR!state}",
    "{cm/cellar/temperature!age}": "{GROUP/SENSOR!age}",
    "{cm/cellar/temperature:.1q}": "'.1q' is no form",
    "{cm/cellar/temperature:>1000000}": "is no form",
    "{cm/cellar/temperature:.99f}": "is no form",
    "{cm/door/open:a|b|c}": "two words",
    "{cm/cellar/it#}": "members of an object",
    "{cm/cellar/it#a..b}": "members of an object",
    "{=a/+/b}": "no + and no #",
    "{=}": "topic",
    "{a/b/c/#}": "members of an object",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"text for a display \(line ") as caught:
        DisplayText(text)
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "topic", "keys", "form"),
    [
        ("=plug/status/switch:0#output", "plug/status/switch:0", ("output",), ""),
        ("=plug/status/switch:0#a.b:.1f", "plug/status/switch:0", ("a", "b"), ".1f"),
        ("=tele/tank:.1f", "tele/tank", (), ".1f"),
        ("=tele/tank:#>5", "tele/tank", (), "#>5"),
    ],
)
def test_a_colon_is_of_the_topic_where_a_member_follows(text: str, topic: str, keys: tuple[str], form: str) -> None:
    assert TextField.of(text) == TextField(topic, keys, "", form)


@given(st.text(alphabet="{}!#:|=/+.>0123cmaéf \n", max_size=60))
@example("{cm/a/b:{}}")
def test_any_text_means_something_or_is_refused(text: str) -> None:
    try:
        page = DisplayText(text)
    except ValueError as error:
        assert str(error).startswith("text for a display (line ")  # noqa: PT017 - it may be fine, too
        return
    for field in page.fields:
        values: list[Json] = [0, -1.5, True, "word", {"a": 1}, [1], 10**18]
        for value in values:
            assert isinstance(value_text(value, field.form), str)
    again = "\n".join(
        "".join("x" if isinstance(part, TextField) else part.replace("{", "{{").replace("}", "}}") for part in line)
        for line in page.lines
    )
    assert len(DisplayText(again).lines) == len(page.lines)


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (21.54, ".1f", "21.5"),
        (21, ".1f", "21.0"),
        (21.54, "", "21.54"),
        (1 / 3, "", "0.333333"),
        (-0.04, "5.1f", " -0.0"),
        (7, "03d", "007"),
        (7.5, "03d", "7.5"),
        (True, "", "yes"),
        (False, "open|shut", "shut"),
        (1, "open|shut", "open"),
        (True, ".1f", "yes"),
        ("n/a", ".1f", "n/a"),
        ("word", ">6", "  word"),
        ("two\nlines\t", "", "two lines"),
        ({"a": "ä"}, "", '{"a":"ä"}'),
    ],
)
def test_values_are_written_as_people_read_them(value: Json, form: str, text: str) -> None:
    assert value_text(value, form) == text


def test_ages_are_coarse() -> None:
    times = (0, 59.9, 60, 3599, 3600, 86_399, 86_400, 9 * 86_400)
    assert [age_text(one) for one in times] == ["0 min", "0 min", "1 min", "59 min", "1 h", "23 h", "1 d", "9 d"]


@pytest.mark.parametrize(
    ("rule", "holds", "not_"),
    [
        ("cm/cellar/leak is true: Water!", [True, "true", 1], [False, "yes", 0, None]),
        ("cm/door/state is not locked", ["jammed", 3], ["locked", None]),
        ("cm/cellar/temperature below 3: Frost {cm/cellar/temperature:.1f}", [2.9, -4, "1"], [3, "word", None, True]),
        ("cm/cellar/temperature above -3.5", [0, -3.4], [-3.5, -4]),
        ("cm/cellar/level is 4", [4, 4.0, "4"], [5, "four"]),
        ("=tele/tank#level above 4", [5], [3]),
    ],
)
def test_an_alert_holds_while_its_measure_is_so(rule: str, holds: list[Json], not_: list[Json]) -> None:
    found = AlertRule(rule)
    assert [value for value in holds if not found.holds(value)] == []
    assert [value for value in not_ if found.holds(value)] == []
    assert Listened(found.field.topic) in found.needs()


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("cm/cellar/leak", "it lacks a part"),
        ("cm/cellar/leak is", "it lacks a part"),
        ("cm/cellar/temperature above warm", "'warm' is not a number"),
        ("cm/cellar is on", "a measure is"),
        ("cm/cellar!age above 4", "a measure, without"),
        ("cm/cellar/leak is true: a { b", "line 1, character 3"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: str, why: str) -> None:
    with pytest.raises(ValueError, match="alerts such as") as caught:
        AlertRule(rule)
    assert why in str(caught.value)
