"""Profiles: what a make of devices says over MQTT, as data, in a file of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from bootstrap.adapter.profile_lines import WireCommand, WirePresence, WireQuestion, WireTime, WireValue
from bootstrap.config.toml_file import TomlFile, suggestion
from bootstrap.contract.topics import is_id
from bootstrap.device import Seconds
from bootstrap.limits import Limits
from bootstrap.needs import TextSetting
from bootstrap.package_data import folder as packaged

FOLDER = "profiles"  # beside house.toml, and in the programme's own config folder
ANSWER_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What devices of one make say, and how they are told. Its fields are the settings of its file.

    Attributes:
        what: which devices, and which program, in one sentence.
        base: what stands for `{base}` in the lines, unless a device's section says otherwise.
        channel: what stands for `{channel}`.
        topic: the topic of the values that name none.
        time: the path of the time in a payload: seconds or milliseconds since 1970, or text as in ISO 8601.
        number: the path of a number that a message shares with its copies only, however late they come.
        cached: whether a message repeats what was said before, so that only what has changed is a reading.
        live: measures that are said anew each time, though the others are repeated.
        silent_s: how long nothing may come of a device that is there, in seconds.
        answer_s: how long the device may take to show that a command was carried out, in seconds.
        guess_s: how long a program's own word that a command was carried out is only a guess, unless the device says so
            meanwhile, in seconds; 0: no program answers for the device.
        seen: the topic, and the path in it, of the time when the device was heard last, if something says so.
        there: what says whether a device is there; it is if nothing says otherwise.
        moved: the topics, and the path in them, of the number that a device keeps when it gets another name.
        asks: what makes a device say how it is, told when it is said to be there.
        values: what it measures.
        tells: its commands.
    """

    what: str
    base: str = ""
    channel: str = ""
    topic: str = ""
    time: str = ""
    number: str = ""
    cached: bool = False
    live: list[str] = field(default_factory=list)
    silent_s: Seconds
    answer_s: Seconds = ANSWER_S
    guess_s: Annotated[float, Limits(0, 60)] = 0.0
    seen: WireTime | None = None
    there: list[WirePresence] = field(default_factory=list)
    moved: list[WireTime] = field(default_factory=list)
    asks: list[WireQuestion] = field(default_factory=list)
    values: list[WireValue] = field(default_factory=list)
    tells: list[WireCommand] = field(default_factory=list)


@dataclass(frozen=True)
class NamedProfile(TextSetting):
    """A profile by its name, from a setting. Two are equal only if what they say is."""

    profile: Profile = field(repr=False)

    @classmethod
    def named(cls, text: str, beside: Path) -> Self:
        """Return the profile of this name: the user's own in the house's folder `beside`, or else one of ours.

        Raises:
            ValueError: there is none, or its file is faulty; the message says what it must be.
        """
        for folder in _folders(beside):
            file = folder / f"{text}.toml"
            if is_id(text) and file.is_file():
                return cls(text, _read(folder, file.name, file.stat().st_mtime_ns))
        raise ValueError(f"the name of a profile, {suggestion(text, {*names(beside)})}")


def names(beside: Path) -> Iterator[str]:
    """Yield the names of all profiles, the user's own in `beside` first; a name may come twice."""
    for folder in _folders(beside):
        yield from sorted(file.stem for file in folder.glob("*.toml"))


def _folders(beside: Path) -> list[Path]:
    return [beside / FOLDER, packaged("config") / FOLDER]


@lru_cache(maxsize=64)
def _read(folder: Path, name: str, _changed_ns: int) -> Profile:
    """Return what a file says; all devices of one make share it.

    Raises:
        ValueError: it is faulty; the message has the first fault.
    """
    source = TomlFile(folder, name)
    found = source.fill(Profile, source.table) if source.loaded else None
    if found is None:
        raise ValueError(f"a profile without faults ({'; '.join(map(str, sorted(source.faults)[:3]))})")
    return found
