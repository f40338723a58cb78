"""Commands on the wire: a word, a number or a JSON object, optionally with an id and an expiry."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json, decode
from bootstrap.errors import Refused
from bootstrap.limits import YEAR_S

VALUE = "value"  # the key of a plain value in an object that also has `id` or `before`


@dataclass(frozen=True)
class ActionCommand:
    """A command: the value to act on, the id that its answer repeats, and when it expires."""

    value: Json
    id: Json = None
    before: Json = None

    @classmethod
    def parse(cls, payload: bytes) -> "ActionCommand":
        """Parse a payload.

        The value of an object is what remains without `id` and `before`; if only `value` remains, what that holds.

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
        """Raise Refused if the time `before` has passed or is invalid."""
        if self.before is None:
            return
        if not isinstance(self.before, str):
            raise Refused("'before' is not text")
        if timestamps.parse(self.before) <= datetime.now(UTC):
            raise Refused(f"expired: 'before' was {self.before}")


def only(value: Json, key: str) -> str:
    """Return the word that a command carries, alone or in an object under `key`.

    Raises:
        Refused: it carries something else.
    """
    word = value.get(key) if isinstance(value, dict) and value.keys() == {key} else value
    if not isinstance(word, str):
        raise Refused(f'send a word, or {{"{key}": "…"}}')
    return word


def seconds(value: Json) -> float | None:
    """Return a duration from a command, in seconds, or None where there is none.

    Raises:
        Refused: it is not a number above 0, or is longer than a year.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= YEAR_S:
        raise Refused("a duration must be a number of seconds above 0")
    return value
