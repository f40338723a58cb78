"""What a device needs is declared by the types of its settings."""

from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.device import Device
from bootstrap.needs import GpioLine, Input, Listened, Need, Pin, Target, Told, TopicFilter, needs_of


@dataclass(frozen=True)
class Template:
    """Text that names topics."""

    text: str

    def needs(self) -> Iterator[Need]:
        yield from (Listened(word) for word in self.text.split() if "/" in word)


@dataclass(kw_only=True)
class Fan(Device):
    """Follows a temperature."""

    relay: Pin
    tacho: Input | None = None
    follows: list[TopicFilter]
    also: Target = "cm/hall/action/set"
    shows: Template


def test_each_need_is_named_with_its_setting() -> None:
    fan = Fan(relay=17, tacho=4, follows=["a/b", "c/+"], shows=Template("now x/y outside"))
    assert needs_of(fan) == [
        ("relay", GpioLine(17)),
        ("tacho", GpioLine(4, driven=False)),
        ("follows", Listened("a/b")),
        ("follows", Listened("c/+")),
        ("also", Told("cm/hall/action/set")),
        ("shows", Listened("x/y")),
    ]


def test_what_is_not_set_needs_nothing() -> None:
    assert [name for name, _ in needs_of(Fan(relay=17, follows=[], shows=Template("")))] == ["relay", "also"]
