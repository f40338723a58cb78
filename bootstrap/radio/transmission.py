"""One transmission, as rtl_433 prints it: a line of JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bootstrap.errors import NoReading
from bootstrap.radio.presses import pressed

Key: TypeAlias = dict[str, int | str]  # who has sent it: model, and id and channel if it sends those

EARLIER_S, LATER_S = 300.0, 2.0  # by which its time may differ from ours; a file has other times
PARTS = ("-Temperature", "-Wind", "-Rain")  # as which one station speaks: it is what is before them
# What is said of a transmission, and not by it.
ABOUT_IT = frozenset({"time", "protocol", "model", "id", "channel", "type", "subtype", "mic", "mod", "rssi", "noise"})
ABOUT_IT |= frozenset({"snr", "freq", "freq1", "freq2", "sequence_num", "message_type", "msg_type"})


@dataclass(frozen=True)
class Transmission:
    """What one transmitter has sent.

    Attributes:
        model: of the message, as rtl_433 calls it.
        key: who has sent it; its model is that of the station.
        at: when it was on the air, in seconds since 1970.
        protocol: the number of rtl_433's decoder; 0 if it is unknown.
        snr: how far it is above the noise in dB; None if nobody has measured that.
        fields: what it says, by the names of rtl_433.
        press: the button and what it asks for, of a remote.
    """

    model: str
    key: Key
    at: float
    protocol: int
    snr: float | None
    fields: Mapping[str, Any]
    press: tuple[str, str] | None = None


def transmission(line: str, now: float) -> Transmission:
    """Return what a line tells; `now` is the time in seconds since 1970, and counts if the line has none.

    Raises:
        NoReading: it is no transmission.
        ValueError: it is not JSON.
    """
    if not line.lstrip().startswith("{"):
        raise NoReading
    found = json.loads(line)
    model = found.get("model")
    if not isinstance(model, str) or not model:
        raise NoReading
    fields = {name: value for name, value in found.items() if name not in ABOUT_IT}
    press = pressed(fields if "channel" not in found else {**fields, "channel": found["channel"]})
    one_remote = press is not None and "id" in found  # whatever row of its buttons that was
    level, protocol = found.get("snr"), found.get("protocol")
    return Transmission(
        model,
        key_of(model, found.get("id"), None if one_remote else found.get("channel")),
        _on_air(found.get("time"), now),
        protocol if isinstance(protocol, int) else 0,
        level if isinstance(level, int | float) and level else None,
        fields,
        press,
    )


def key_of(model: str, id_: object, channel: object) -> Key:
    """Return who a transmitter is; a number that is sent as text is a number here."""
    found: Key = {"model": station_of(model)}
    for name, value in (("id", id_), ("channel", channel)):
        if isinstance(value, int | str) and value != "":
            found[name] = int(value) if str(value).isdecimal() and str(int(value)) == str(value) else value
    return found


def station_of(model: str) -> str:
    """Return the model of the station that sends messages of this model."""
    return next((model.removesuffix(part) for part in PARTS if model.endswith(part)), model)


def _on_air(text: object, now: float) -> float:
    """Return when a transmission was on the air: as it says, if that can be."""
    try:
        at = datetime.fromisoformat(str(text)).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return now
    return at if now - EARLIER_S <= at <= now + LATER_S else now
