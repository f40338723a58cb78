"""Commands from the wire: what is refused, what is done, and the answer to each on `status/action`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from bootstrap import clock, log
from bootstrap.errors import Refused
from bootstrap.payload import Json, decode
from bootstrap.settings import YEAR_S, suggestion

Act: TypeAlias = Callable[[Json], None]

VALUE = "value"  # carries a word or number where id and before must go along
SHOWN = 100  # characters of somebody's words that we repeat


@dataclass(frozen=True)
class Command:
    """A command as it came: the value to act on, whose answer it is, and until when it may be obeyed."""

    value: Json
    id: Json = None
    before: Json = None

    @classmethod
    def parse(cls, payload: bytes) -> "Command":
        """Take `id` and `before` out of an object; all else is the value, or what it holds as its only `value`.

        Raises:
            Refused: the payload has no defined meaning.
        """
        value = decode(payload)
        if not isinstance(value, dict):
            return cls(value)
        rest = dict(value)
        identity, before = rest.pop("id", None), rest.pop("before", None)
        return cls(rest[VALUE] if rest.keys() == {VALUE} else rest, identity, before)

    def check_expiry(self) -> None:
        """Raise Refused when the moment `before` has passed, or is no time."""
        if self.before is None:
            return
        if not isinstance(self.before, str):
            raise Refused("'before' is no text")
        if clock.parse(self.before) <= datetime.now(UTC):
            raise Refused(f"expired: 'before' was {self.before}")


class Actions:
    """Knows every action of the device and answers every command, whatever it holds."""

    def __init__(self, acts: Mapping[str, Act], answer: Callable[[dict[str, object]], None]) -> None:
        self._acts = acts
        self._answer = answer
        self.closed = False  # while we stop

    @property
    def names(self) -> list[str]:
        """What may be asked."""
        return sorted(self._acts)

    def handle(self, name: str, payload: bytes, *, retained: bool) -> None:
        """Act on a command and answer it. A bug in an action goes through to the loop."""
        command = Command(None)
        try:
            command = Command.parse(payload)
            self._act(name, command, retained=retained)
        except (ValueError, OSError) as refusal:
            self._say(name, command, "refused", str(refusal) or type(refusal).__name__)
        else:
            self._say(name, command, "done", None)

    def _act(self, name: str, command: Command, *, retained: bool) -> None:
        if retained:
            raise Refused("retained: a command is for now; clear it with an empty retained payload")
        if self.closed:
            raise Refused("stopping")
        command.check_expiry()
        if name not in self._acts:
            raise Refused(f"no action {name[:SHOWN]!r}; {suggestion(name[:SHOWN], self.names)}")
        self._acts[name](command.value)

    def _say(self, name: str, command: Command, result: str, reason: str | None) -> None:
        report = log.info if reason is None else log.warning
        report(f"command {result}", action=name[:SHOWN], reason=reason)
        self._answer(
            {
                "action": name[:SHOWN],
                "id": _short(command.id),
                "result": result,
                "reason": reason and reason[: 2 * SHOWN],
                "time": clock.now(),
            }
        )


def _short(identity: Json) -> Json:
    """An id is given back as it came, unless it is no id at all."""
    if isinstance(identity, str):
        return identity[:SHOWN]
    return None if isinstance(identity, list | dict) else identity


def only(value: Json, key: str) -> str:
    """The word a command is about: raw, or in an object under `key`.

    Raises:
        Refused: it is something else.
    """
    word = value.get(key) if isinstance(value, dict) and value.keys() == {key} else value
    if not isinstance(word, str):
        raise Refused(f'say a word, or {{"{key}": "…"}}')
    return word


def seconds(value: Json) -> float | None:
    """A length of time in a command, or None where none is given.

    Raises:
        Refused: it is no number above 0, or longer than a year.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= YEAR_S:
        raise Refused("a length of time is a number of seconds above 0")
    return value
