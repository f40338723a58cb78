"""Which topics a recorder records."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from bootstrap.config.model import Id
from bootstrap.contract.topic_filters import Filter, none_twice

UNGUESSABLE = 16  # characters of a name that is taken for a random one


@dataclass(kw_only=True)
class TopicSettings:
    """The settings of what is recorded, as they appear in a recorder's file."""

    # The groups to record; "+" stands for all.
    groups: Annotated[list[Literal["+"] | Id], none_twice] = field(default_factory=lambda: ["+"])

    # A topic of other publishers, such as "tele/+/SENSOR", or a list of them: + stands for one level, # for all that
    # follow. Numbers, booleans, text and JSON objects of these are recorded, too, with their time of arrival.
    foreign: Annotated[Filter | list[Filter], none_twice] | None = None

    # A name, such as "history", under which several recorders share the load: each receives a part of the messages.
    # The part of a recorder that is not running waits for it; no other recorder receives it. Whoever may connect to the
    # broker and knows the name can join, and takes messages that are then lost: use a random one, openssl rand -hex 16.
    share: Id | None = None

    @property
    def is_share_guessable(self) -> bool:
        """Whether others may guess the name of the shared subscription."""
        return self.share is not None and len(self.share) < UNGUESSABLE

    def filters(self, *wanted: str) -> list[str]:
        """Return the filters for these topics of every sensor, each named by its last two levels, and for `foreign`."""
        shared = f"$share/{self.share}/" if self.share else ""
        return [shared + one for one in self.unshared(*wanted)]

    def unshared(self, *wanted: str) -> list[str]:
        """Return the same filters without `$share`, as a broker's ACL must allow them."""
        foreign = [self.foreign] if isinstance(self.foreign, str) else self.foreign or []
        return [*self.of_each(*wanted), *foreign]

    def own_readings(self, sensor: str) -> list[str]:
        """Return the filter for the readings of the recorder itself, unless another one brings it all of them."""
        group = sensor.partition("/")[0]
        covered = not self.share and not {"+", group}.isdisjoint(self.groups)
        return [] if covered else [f"{sensor}/data/reading"]

    def of_each(self, *wanted: str) -> list[str]:
        """Return the filters for these topics of every sensor; they are never shared."""
        return [f"{group}/+/{last}" for group in self.groups for last in wanted]
