"""Commands on the wire: a word, a number or a JSON object, optionally with an id and an expiry."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json, decode
from bootstrap.errors import Refused
from bootstrap.limits import YEAR_S, shown

# What became of a message that is told now or not at all. Unknown: the connection broke before it was acknowledged.
Outcome: TypeAlias = Literal["sent", "undelivered", "unknown"]
Done: TypeAlias = Callable[[str | None], None]  # called once, with what is wrong or None
Later: TypeAlias = Callable[[Done], None]  # of an action that has only begun: calls what it is given when it ends

ANSWERED = 100  # longest part of a sender's text that an answer repeats, in characters
NEEDS_EXPIRY = "say by 'before' until when this is to be done, as `penates send` does by itself"
RETAINED = "retained commands are not executed; clear it with an empty retained payload"
SHOWN = 60  # characters of a sender's key that an answer repeats
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

    def check_expiry(self, *, required: bool = False) -> None:
        """Raise Refused if the time `before` has passed or is invalid, or is `required` and missing."""
        if self.before is None:
            if required:
                raise Refused(NEEDS_EXPIRY)
            return
        if not isinstance(self.before, str):
            raise Refused("'before' is not text")
        if timestamps.parse(self.before).timestamp() <= time.time():
            raise Refused(f"expired: 'before' was {self.before}")


def answer(action: str, identity: Json, result: str, reason: str | None) -> dict[str, object]:
    """Return the answer to a command. Its id is repeated unchanged, or None if it is not text or a number."""
    if isinstance(identity, str):
        identity = identity[:ANSWERED]
    return {
        "action": action,
        "id": None if isinstance(identity, list | dict) else identity,
        "result": result,
        "reason": reason and reason[: 2 * ANSWERED],
        "time": timestamps.now(),
    }


def only_keys(value: Mapping[str, Json], keys: Sequence[str]) -> None:
    """Raise Refused if the object of a command has a key that is not in `keys`; `id` and `before` are taken before."""
    for key in value:
        if key not in keys:
            raise Refused(f"no key {key[:SHOWN]!r}; an object may have {', '.join((*keys, 'id', 'before'))}")


def only(value: Json, key: str) -> str:
    """Return the word that a command carries, alone or in an object under `key`.

    Raises:
        Refused: it carries something else.
    """
    if isinstance(value, dict):
        only_keys(value, (key,))
    word = value.get(key) if isinstance(value, dict) else value
    if not isinstance(word, str):
        raise Refused(f'send a word, or {{"{key}": "…"}}')
    return word


def number(value: Json, key: str, words: Mapping[str, float] | None = None) -> float:
    """Return the number that a command carries, alone or in an object under `key`; `words` have one each.

    Raises:
        Refused: it carries something else.
    """
    given = value.get(key) if isinstance(value, dict) else value
    if isinstance(given, str) and words and given in words:
        return words[given]
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Refused(f'send a number, or {{"{key}": …}}')
    return float(given)


def seconds(value: Json) -> float | None:
    """Return a duration from a command, in seconds, or None where there is none.

    Raises:
        Refused: it is not a number above 0, or is longer than a year.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= YEAR_S:
        raise Refused(f"a duration must be a number of seconds above 0 and at most {shown(YEAR_S)}")
    return value
