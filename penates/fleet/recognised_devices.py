"""Devices of other makes on the broker that profiles recognise, and that nobody has adopted yet."""

import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.adapter.adopted_device import said_value
from bootstrap.adapter.profile import NamedProfile, names
from bootstrap.adapter.profile_lines import WireValue, places_of
from bootstrap.config.gateway_file import ANNOUNCEMENT
from bootstrap.contract.payload import Json, decode
from bootstrap.contract.topic_filters import WILD, covers, without_covered
from bootstrap.contract.topics import Kind, is_id
from bootstrap.device import Value
from bootstrap.errors import Exit, Fatal, Refused
from penates.fleet.access import Access
from penates.fleet.announced_devices import PROFILE, AnnouncedDevice, AnnouncedDevices, measures_of
from penates.fleet.client import Connected, Disconnected, FleetClient, MessageReceived, Subscribed
from penates.fleet.exposed_devices import PROFILE as EXPOSED
from penates.fleet.exposed_devices import ExposedDevice, ExposedDevices
from penates.fleet.profile_shapes import ProfileShapes

ABOUT = "+/+/status/about"
MOST, MOST_TOPICS = 500, 100  # devices that are kept in mind, and topics of each
QUIET_S, LONGEST_S = 1.0, 60.0  # what is stored has all come when none came for so long; how long that may take
PATIENCE_S = 10.0  # with a broker that does not answer
HARDWARE = re.compile(r"(?:0x)?([0-9a-f]{12,16})")  # an address that is unique in the world


@dataclass(frozen=True)
class AdoptedAs:
    """What an adopted device stands for; `key` has its profile, base, address and channel."""

    key: Mapping[str, Value]
    topics: tuple[str, ...]


@dataclass
class RecognisedDevice:
    """A device, or a part of one, that a profile recognises.

    Attributes:
        profile: the profile's name.
        base: the first levels of its topics.
        address: what its topics call it.
        channel: which part of it.
        values: the last value of each measure that was heard of it; of an announced one None.
        topics: the topics of these.
        lines: what its section says beside its key; the names of its measures, unless it is an announced one.
        unclear: what is not understood of its announcement.
        own_name: what Home Assistant calls it by its own announcement; empty if it makes none.
        whole: whether it stands for all parts of the device, whatever its channel.
    """

    profile: str
    base: str
    address: str
    channel: str
    values: dict[str, Value | None] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
    lines: Mapping[str, Any] | None = None
    unclear: Sequence[str] = ()
    own_name: str = ""
    whole: bool = False

    @classmethod
    def announced(cls, device: AnnouncedDevice) -> "RecognisedDevice":
        """Return a device that announces itself to Home Assistant."""
        lines, unclear = device.lines()
        values = dict.fromkeys(measures_of(lines))
        return cls(PROFILE, "", device.address, "", {**values}, device.topics, lines, unclear, device.name)

    @classmethod
    def exposed(cls, device: ExposedDevice, heard: Mapping[str, Value | None]) -> "RecognisedDevice":
        """Return a device that Zigbee2MQTT lists, with the values that were heard of it."""
        values = {name: heard.get(name) for name in device.names}
        base, address = device.base, device.address
        return cls(EXPOSED, base, address, "", values, {f"{base}/{address}"}, device.lines, device.unclear, whole=True)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of its section. What announces itself is announced by that alone."""
        key = {name: one for name, one in self.key.items() if one}
        lines = {"only": sorted(self.values)} if self.lines is None else self.lines
        return {**key, **lines, **({ANNOUNCEMENT: {"enabled": False}} if self.own_name else {})}

    @property
    def key(self) -> dict[str, Value]:
        """The settings by which it is told from others."""
        return {"profile": self.profile, "base": self.base, "address": self.address, "channel": self.channel}

    def is_same_as(self, key: Mapping[str, Value], topics: Iterable[str]) -> bool:
        """Return whether a device with this key, which is heard on these topics or filters, is this one."""
        own, other = _hardware(self.address), _hardware(str(key.get("address")))
        if key.get("profile") != self.profile:
            return (own and own == other) or _meet(topics, self.topics)
        if self.whole:
            key = {**key, "channel": self.channel}
        return self.key == {**key} or (self.profile == PROFILE and own is not None and own == other)


class RecognisedDevices:
    """What profiles make of the messages on a broker. Only what they recognise is kept in mind."""

    def __init__(
        self, profiles: Iterable[ProfileShapes], adopted: Iterable[AdoptedAs] = (), prefix: str = PROFILE
    ) -> None:
        """These profiles recognise devices, but for those that are `adopted`; `prefix` is that of announcements."""
        self._announced = AnnouncedDevices(prefix)
        self._profiles, self._adopted = [*profiles], [*adopted]
        self._found: dict[tuple[str, str, str], RecognisedDevice] = {}
        usual = next((one.profile for one in self._profiles if one.name == EXPOSED), None)
        self._exposed = ExposedDevices(usual) if usual else None
        self._own: list[RecognisedDevice] | None = None  # those that are announced, once all are
        self._there: dict[str, str] = {}  # the profile of each address that is only known to be there
        self.is_full = False

    @property
    def filters(self) -> list[str]:
        """The topics that must be heard, each once."""
        return without_covered(
            [ABOUT, *self._announced.filters, *(one for profile in self._profiles for one in profile.filters)]
        )

    def hear(self, topic: str, payload: bytes) -> None:
        """Take notice of a message."""
        if self._exposed and self._exposed.is_one(topic):
            self._exposed.hear(topic, payload)
            return
        try:
            value = decode(payload)
        except Refused:
            return
        if _is_ours(topic):
            if covers(ABOUT, topic):
                self._hear_about(value)
        elif self._announced.is_one(topic):
            self._announced.hear(topic, value)
            self._own = None
        elif topic.isprintable():
            for profile in self._profiles:
                self._try(profile, topic, value, payload)

    def _hear_about(self, about: Json) -> None:
        """Note what a sensor of any adapter stands for."""
        adopts = about.get("adopts") if isinstance(about, dict) else None
        if isinstance(adopts, dict):
            key = {name: one for name, one in adopts.items() if isinstance(one, str)}
            topics = adopts.get("topics")
            heard = [one for one in topics if isinstance(one, str)] if isinstance(topics, list) else []
            self._adopted.append(AdoptedAs(key, tuple(heard)))

    def _try(self, profile: ProfileShapes, topic: str, value: Json, payload: bytes) -> None:
        for shape, lines in profile.values:
            found = shape.expression.fullmatch(topic)
            if found and not profile.is_told(topic, found["address"]):
                named = found.groupdict()
                for line in lines:
                    for channel in profile.channels(line, named.get("channel"), payload.decode(errors="replace")):
                        self._try_line(profile, line, (topic, named["address"], channel), value)
        for shape, presence in profile.there:
            if (found := shape.expression.fullmatch(topic)) and len(self._there) < MOST:
                places = places_of(profile.base, found["address"], profile.profile.channel)
                if isinstance(presence.at(places).value(value), bool):
                    self._there.setdefault(found["address"], profile.name)

    def _try_line(self, profile: ProfileShapes, line: WireValue, at: tuple[str, str, str], value: Json) -> None:
        """Take the value that a line finds in a message at this topic, address and channel."""
        topic, address, channel = at
        answer = line.at(places_of(profile.base, address, channel))
        said = said_value(answer, value)
        if said is None or isinstance(said, ValueError) or answer.form.measure.wrong(said):
            return
        key = (profile.name, address, channel)
        if key not in self._found and len(self._found) == MOST:
            self.is_full = True
            return
        one = self._found.setdefault(key, RecognisedDevice(profile.name, profile.base, address, channel))
        one.values[answer.name] = said
        if len(one.topics) < MOST_TOPICS:
            one.topics.add(topic)

    def devices(self) -> list[RecognisedDevice]:
        """Return each device once, in order: by the profile that has the most of its measures, else as announced."""
        kept, own = list[RecognisedDevice](), self._announced_ones()
        exposed, announced = [*self._exposed_ones()], [one for one in own if one.values]
        listed = {(one.base, one.address) for one in exposed}
        rest = [one for one in self._found.values() if one.profile != EXPOSED or (one.base, one.address) not in listed]
        for one in [*exposed, *sorted(rest, key=_by_most), *sorted(announced, key=_by_most)]:
            known = [*self._adopted, *(AdoptedAs(other.key, tuple(other.topics)) for other in kept)]
            if not any(one.is_same_as(other.key, other.topics) for other in known):
                one.own_name = one.own_name or announced_as(one.key, one.topics, self._announced, own)
                kept.append(one)
        return sorted(kept, key=lambda one: (one.profile, one.address, one.channel))

    def _exposed_ones(self) -> "Iterator[RecognisedDevice]":
        """Yield the devices that Zigbee2MQTT lists and that measure something."""
        for device in self._exposed.devices() if self._exposed else ():
            heard = self._found.get((EXPOSED, device.address, ""))
            if device.names:
                yield RecognisedDevice.exposed(device, heard.values if heard else {})

    def _announced_ones(self) -> "list[RecognisedDevice]":
        """Return the devices that are announced, with what is understood of each."""
        if self._own is None:
            self._own = [*map(RecognisedDevice.announced, self._announced.devices())]
        return self._own

    def not_understood(self) -> list[str]:
        """Return the names of announced devices of which nothing is understood, and that no profile recognises."""
        known = {topic for one in (*self._found.values(), *self._exposed_ones()) for topic in one.topics}
        return sorted(one.own_name for one in self._announced_ones() if not (one.topics & known or one.values))

    def only_there(self) -> list[tuple[str, str]]:
        """Return address and profile of devices that are there, and of which nothing was heard that they measure."""
        heard = {one.address for one in (*self._found.values(), *self._exposed_ones())} | {
            str(one.key.get("address")) for one in self._adopted
        }
        return sorted((address, profile) for address, profile in self._there.items() if address not in heard)


def _meet(filters: Iterable[str], topics: Collection[str]) -> bool:
    """Return whether one of these filters, most of which are topics, matches one of the topics."""
    return any(any(covers(one, topic) for topic in topics) if WILD & {*one} else one in topics for one in filters)


def _by_most(device: RecognisedDevice) -> tuple[int, str]:
    """Order devices by how much is known of them, the most first."""
    return -len(device.values), device.profile


def announced_as(
    key: Mapping[str, Value], topics: Collection[str], announced: AnnouncedDevices, own: Iterable[RecognisedDevice]
) -> str:
    """Return what Home Assistant calls an adopted device by its own announcement; empty if it makes none.

    `own` are those of all the devices that are `announced`.
    """
    names = (one.own_name for one in own if one.is_same_as(key, topics))
    return next(names, None) or announced.by_tasmota(topics) or ""


def look(access: Access, found: RecognisedDevices, wait_s: float) -> None:
    """Listen for so many seconds to what the broker has stored and what is said meanwhile.

    Raises:
        Fatal: the broker cannot be reached, or refused us (77).
    """
    ends_at, tries, why, listens = time.monotonic() + PATIENCE_S, len(access.hosts), "no answer", False
    latest = ends_at + LONGEST_S
    with closing(FleetClient(access)) as client:
        while (left_s := ends_at - time.monotonic()) > 0:
            for event in client.events(left_s):
                match event:
                    case Connected():
                        client.subscribe(*found.filters)
                    case Disconnected(why, refused) if not listens:
                        tries -= 1
                        if refused or not tries:
                            raise Fatal(Exit.REFUSED, why)
                    case Subscribed() if not listens:
                        listens, ends_at = True, time.monotonic() + wait_s
                    case MessageReceived(topic, payload, stored, at):
                        found.hear(topic, payload)
                        if stored and at < latest:
                            ends_at = max(ends_at, at + QUIET_S)
    if not listens:
        raise Fatal(Exit.REFUSED, f"{access.name}: {why}")


def shapes(house: Path, base: str | None) -> Iterator[ProfileShapes]:
    """Yield all usable profiles, those of this house first; `base` replaces theirs where they have one."""
    for name in dict.fromkeys(names(house)):
        try:
            profile = NamedProfile.named(name, house).profile
        except ValueError:
            continue  # `penates check` says so where it is used
        yield ProfileShapes(name, profile, base if base is not None and profile.base else profile.base)


def _is_ours(topic: str) -> bool:
    levels = topic.split("/")
    return len(levels) == 4 and levels[2] in {*Kind} and all(map(is_id, levels))  # noqa: PLR2004 - of a sensor's topic


def _hardware(address: str) -> str | None:
    found = HARDWARE.fullmatch(address.lower().replace(":", ""))
    return found and found[1]
