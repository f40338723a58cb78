"""What topics of a profile look like for any device: the reverse of filling in a device's address."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bootstrap.adapter.profile import Profile
from bootstrap.adapter.profile_lines import WirePresence, WireValue, filled
from bootstrap.contract.topic_filters import WILD

ADDRESS, CHANNEL = "{address}", "{channel}"
PARTS = re.compile(r"(\{address\}|\{channel\}|\+|#)")
ANY = {ADDRESS: r"[^+#]+", "+": r"[^/]+", "#": r".*"}
NUMBERED = r"_?[A-Za-z]?\d{1,3}"  # a part of a device, such as the 2 in POWER2, where the profile names none
DEPTHS = (1, 2)  # levels of an address with which topics begin
MOST_CHANNELS = 16


def channels_like(channel: str) -> str:
    """Return the expression of all channels like this one of a profile: `endpoint_0` is like any `endpoint_N`."""
    numbered = re.sub(r"\d+", r"\\d{1,3}", re.escape(channel))
    return numbered if numbered != re.escape(channel) else f"(?:{numbered}|{NUMBERED})"


@dataclass(frozen=True)
class TopicShape:
    """A topic of a profile, as it is for any device.

    Attributes:
        template: the topic, with `{address}` and perhaps `{channel}`.
        channel: the channel of the profile.
    """

    template: str
    channel: str

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Match the topics of this shape; the groups are `address` and perhaps `channel`."""
        return re.compile("".join(self._expressions()), re.DOTALL)

    def _expressions(self) -> Iterator[str]:
        named = set[str]()
        for part in PARTS.split(self.template):
            name = part.strip("{}")
            if part in named:
                yield f"(?P={name})"
            elif part in (ADDRESS, CHANNEL):
                named.add(part)
                yield f"(?P<{name}>{ANY[ADDRESS] if part == ADDRESS else self._channels})"
            else:
                yield ANY.get(part, re.escape(part))

    @property
    def _channels(self) -> str:
        return channels_like(self.channel) if self.channel else "[^/]*"

    @property
    def filters(self) -> list[str]:
        """The filters that match all such topics, and few others; none if it says nothing of whose they are."""
        levels = self.template.split("/")
        first = next(number for number, level in enumerate(levels) if PARTS.search(level))
        if first:
            return ["/".join([*levels[:first], "#"])]
        rest = ["+" if PARTS.search(level) else level for level in levels[1:]]
        return ["/".join(["+"] * depth + rest) for depth in DEPTHS] if {*rest} - WILD else []


@dataclass(frozen=True)
class ProfileShapes:
    """The topics of a profile, as they are for any device.

    Attributes:
        name: the profile's.
        profile: what it says.
        base: the first levels of its topics.
    """

    name: str
    profile: Profile
    base: str
    values: list[tuple[TopicShape, Sequence[WireValue]]] = field(init=False, repr=False)
    there: list[tuple[TopicShape, WirePresence]] = field(init=False, repr=False)
    told: list[TopicShape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lines = dict[str, list[WireValue]]()
        for value in self.profile.values:
            lines.setdefault(value.topic or self.profile.topic, []).append(value)
        shapes = [(self._shape(topic), each) for topic, each in lines.items()]
        there = [(self._shape(one.topic), one) for one in self.profile.there]
        told = {one.topic for one in self.profile.tells if ADDRESS in one.topic}
        object.__setattr__(self, "values", [one for one in shapes if _tells_whose(one[0])])
        object.__setattr__(self, "there", [one for one in there if _tells_whose(one[0])])
        object.__setattr__(self, "told", [self._shape(topic) for topic in told])

    def _shape(self, topic: str) -> TopicShape:
        return TopicShape(filled(topic, {"{base}": self.base}), self.profile.channel)

    @property
    def filters(self) -> list[str]:
        """The filters of all topics of values, and of those that say whether a device is there."""
        shapes = [*(one for one, _ in self.values), *(one for one, _ in self.there)]
        return [one for shape in shapes for one in shape.filters]

    def is_told(self, topic: str, address: str) -> bool:
        """Return whether a topic is rather one on which a device is told something than a value of this address."""
        found = (shape.expression.fullmatch(topic) for shape in self.told)
        return any(one and len(one["address"]) < len(address) for one in found)

    def channels(self, line: WireValue, named: str | None, payload: str) -> list[str]:
        """Return the channels of which a message may speak: that of its topic, else those named in the payload."""
        if named is not None:
            return [named]
        own, text = self.profile.channel, line.text.partition(": ")[2] or line.text
        key = re.search(r'[^\s".=\[\]]*\{channel\}[^\s".=\[\]]*', text)
        if key is None:
            return [own]
        wanted = re.escape(key[0]).replace(re.escape(CHANNEL), f"({channels_like(own)})")
        return [*dict.fromkeys([own, *re.findall(f'"{wanted}"', payload)])][:MOST_CHANNELS]


def _tells_whose(shape: TopicShape) -> bool:
    return ADDRESS in shape.template and bool(shape.filters)
