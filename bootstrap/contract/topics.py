"""Topics of the form `group/sensor/kind/name`. An illegal one cannot be constructed."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

State: TypeAlias = Literal["starting", "online", "fault", "stopped", "lost", "unreachable"]  # of `status/state`

ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
ID_RULE = "1 to 64 ASCII letters, digits, '-' or '_'"
# Broker users that are not sensors: one that may send commands, one that may read everything, and Home Assistant.
ADMIN, EYES, HOME_ASSISTANT = "admin", "eyes", "homeassistant"
RECORDER = "recorder"  # a sensor with this id is a recorder
RESERVED_SENSORS = frozenset({ADMIN, EYES, HOME_ASSISTANT, RECORDER})
PRIVATE = "-private"  # what the group ends in of a sensor that other sites must not see: a bridge carries whole groups


def is_id(text: str) -> bool:
    """Return whether `text` may be a level of a topic."""
    return ID.fullmatch(text) is not None


def private_group(group: str) -> str:
    """Return the group of the sensors that no bridge carries."""
    return f"{group}{PRIVATE}"


def is_private(group: str) -> bool:
    """Return whether a group is one that no bridge carries."""
    return group.endswith(PRIVATE)


class Kind(StrEnum):
    """The third level of a topic."""

    DATA = "data"
    STATUS = "status"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `str()` returns it as it is on the wire.

    Raises:
        ValueError: a level is not an id, or the kind is not one of ours.
    """

    group: str
    sensor: str
    kind: Kind
    name: str

    def __post_init__(self) -> None:
        for level in (self.group, self.sensor, self.name):
            if not is_id(level):
                raise ValueError(f"{level!r} in a topic must be {ID_RULE}")
        object.__setattr__(self, "kind", Kind(self.kind))

    def __str__(self) -> str:
        return f"{self.group}/{self.sensor}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one sensor. Its client id on the broker is `group/sensor`."""

    group: str
    sensor: str

    def __post_init__(self) -> None:
        self.status("state")

    @property
    def client_id(self) -> str:
        """The sensor's only name: on the broker, in the log and on its lock."""
        return f"{self.group}/{self.sensor}"

    @property
    def file_name(self) -> str:
        """The sensor's name for files and folders of its own."""
        return f"{self.group}.{self.sensor}"

    @property
    def commands(self) -> str:
        """The filter that matches every command to this sensor."""
        return f"{self.client_id}/{Kind.ACTION}/+"

    def data(self, name: str) -> str:
        """Return the topic of a measure."""
        return str(Topic(self.group, self.sensor, Kind.DATA, name))

    def action(self, name: str) -> str:
        """Return the topic of a command."""
        return str(Topic(self.group, self.sensor, Kind.ACTION, name))

    def status(self, name: str) -> str:
        """Return the topic of a fact about the daemon."""
        return str(Topic(self.group, self.sensor, Kind.STATUS, name))
