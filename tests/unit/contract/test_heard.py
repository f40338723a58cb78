"""What a device hears, and what it is subscribed to for that."""

import pytest

from bootstrap.contract.heard import Heard, heard_with, sender_of
from bootstrap.contract.payload import Json


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("cm/cellar/data/temperature", ("cm/cellar", "temperature")),
        ("+/+/data/reading", ("+/+", "reading")),
        ("cm/cellar/data/#", None),
        ("cm/cellar/status/state", None),
        ("cm/cellar/data", None),
        ("cm/cel lar/data/temperature", None),
        ("a/cm/cellar/data/temperature", None),
    ],
)
def test_a_measure_has_a_sender(text: str, sender: tuple[str, str] | None) -> None:
    assert sender_of(text) == sender


def test_a_measure_comes_with_its_senders_state_before_it() -> None:
    vouchers = ["cm/+/status/state", "cm/+/status/about", "cm/+/status/heartbeat"]
    assert heard_with("cm/+/data/temperature") == [*vouchers, "cm/+/data/temperature"]
    assert heard_with("zigbee2mqtt/lamp") == ["zigbee2mqtt/lamp"]


def heard(value: Json) -> Heard:
    return Heard("a/b", b"", value, False, 0)


@pytest.mark.parametrize(("value", "number"), [(21.5, 21.5), (3, 3.0), (True, 1.0), ("+19.5", 19.5), ("on", None)])
def test_a_number(value: Json, number: float | None) -> None:
    if number is not None:
        assert heard(value).number == number
    else:
        with pytest.raises(ValueError, match="a/b: 'on' is not a number"):
            _ = heard(value).number


@pytest.mark.parametrize("value", [None, {}, [], "nan", "1" * 30, "x" * 1000])
def test_no_number(value: Json) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - of several reasons
        _ = heard(value).number
    assert len(str(refused.value)) < 100
