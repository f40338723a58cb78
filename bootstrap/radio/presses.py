"""Which button of a remote was pressed: remotes say so in several ways."""

from collections.abc import Mapping
from typing import Any

from bootstrap.device import is_measure_name
from bootstrap.quantities import QUANTITIES
from bootstrap.radio.units import field_of

GROUP = ("group", "group_call")  # whether a button is the one for all
BUTTONS = ("button", "unit", "slave", "key", "cmd")  # which button it was
STATES = ("state", "command")  # what it asks for
CHANNEL = "channel"  # which of several rows of buttons
PRESSED, GROUP_BUTTON, BUTTON = "pressed", "group", "button"
NO = frozenset({"0", "", "no", "off", "none"})


def pressed(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the name of a button and what it asks for, such as `on`; None if no remote has sent these fields."""
    if not any(name in fields for name in (*BUTTONS, *STATES)) or any(_is_measured(name) for name in fields):
        return None
    asked = next((str(fields[name]).lower() for name in STATES if isinstance(fields.get(name), str)), PRESSED)
    if any(str(fields.get(name, "")).lower() not in NO for name in GROUP):
        return GROUP_BUTTON, asked
    which = [name for name in (CHANNEL, next(filter(fields.__contains__, BUTTONS), "")) if name in fields]
    name = "_".join(_part(part, fields[part]) for part in which)
    return (name if is_measure_name(name) else BUTTON), asked


def _is_measured(name: str) -> bool:
    """Return whether a field is something that only a sensor sends."""
    field = field_of(name)
    return field is not None and field.name in QUANTITIES


def _part(name: str, value: object) -> str:
    """Return a part of a button's name: a letter says enough by itself."""
    return value.lower() if isinstance(value, str) and not value.isdecimal() else f"{name}_{value}"
