"""What gateways hear that nobody has adopted, as the broker retains it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.contract.payload import decode
from bootstrap.errors import Exit, Fatal, Refused
from penates.fleet.access import Access
from penates.fleet.probe import Silent, Unreachable, reach

PATIENCE_S = 10.0
TOPIC = "+/+/status/unknown"


@dataclass(frozen=True)
class UnknownSensor:
    """A sensor in a gateway's list.

    Attributes:
        number: its own in that list; None in the list of an older gateway.
        key: the settings by which it would be adopted.
        count: how often it was heard.
        every_s: in which interval, in seconds; None after the first time.
        snr: how far it is above the noise in dB; None if its gateway does not measure that.
        last: when it was heard last.
        example: what was heard.
        successor_of: the adopted one that it may be, with a new battery; empty if it is none.
    """

    number: int | None
    key: Mapping[str, Any]
    count: int
    every_s: float | None
    snr: float | None
    last: str
    example: str
    successor_of: str


def listed(access: Access) -> dict[str, list[UnknownSensor]]:
    """Return the list of each gateway, by its `group/sensor`.

    Raises:
        Fatal: the broker does not answer (77).
    """
    try:
        with reach(access, PATIENCE_S) as probe:
            held = probe.retained([TOPIC])
    except (Unreachable, Silent) as error:
        raise Fatal(Exit.REFUSED, str(error)) from None
    return {topic.rpartition("/status/")[0]: [*_heard(payload)] for topic, payload in sorted(held.items())}


def _heard(payload: bytes) -> Iterator[UnknownSensor]:
    """Yield the sensors in a gateway's list; what does not belong there is left out."""
    try:
        found = decode(payload)
    except Refused:
        return
    heard = found.get("heard") if isinstance(found, dict) else None
    each: list[Any] = heard if isinstance(heard, list) else []
    for one in each:
        match one:
            case {"key": dict(key), "count": int(count), "last": str(last), "example": str(example), **more} if key:
                number, of = more.get("number"), more.get("successor_of")
                yield UnknownSensor(
                    number if isinstance(number, int) else None,
                    key,
                    count,
                    _number(more.get("every_s")),
                    _number(more.get("snr")),
                    last,
                    example,
                    of if isinstance(of, str) else "",
                )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
