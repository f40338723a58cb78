"""What a transmission says, in our units."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bootstrap.contract.topics import is_id
from bootstrap.device import RESERVED_MEASURES, Measure, Value
from bootstrap.radio.transmission import Transmission
from bootstrap.radio.units import QUANTITIES, field_of, quantity

# What a measure is declared as, in short: the unit of a number that is known, or one of the forms below.
Form: TypeAlias = str
NUMBER, TEXT, PRESS, WORD = "number", "text", "press", "word"
UNKNOWN = frozenset({NUMBER, TEXT})
BATTERY_OK = "battery_ok"
BATTERY = Measure(str, words=("low", "ok"))
FORMS = {NUMBER: Measure("1"), TEXT: Measure(str), PRESS: Measure(str, event=True), WORD: BATTERY}

UNITS = {"1": "", NUMBER: "", TEXT: "", PRESS: "", WORD: ""}  # as people read a value

GROUP = ("group", "group_call")  # whether a button is the one for all
BUTTONS = ("button", "unit", "slave", "key", "cmd")  # which button it was
STATES = ("state", "command")  # what it asks for
PRESSED = "pressed"
FALSE = frozenset({0, "0", "", "no", "off"})


def of(heard: Transmission) -> dict[str, tuple[Value, Form]]:
    """Return each value with the form of its measure."""
    found = press(heard.fields) or dict(_measured(heard.fields))
    if heard.snr is not None and not any(form == PRESS for _value, form in found.values()):
        found["snr"] = (heard.snr, "dB")
    return found


def press(fields: Mapping[str, Any]) -> dict[str, tuple[Value, Form]]:
    """Return which button of a remote asks for what; nothing if this is no remote."""
    if not any(name in fields for name in (*BUTTONS, *STATES)) or any(_quantity(name) for name in fields):
        return {}
    asked = next((str(fields[name]).lower() for name in STATES if isinstance(fields.get(name), str)), PRESSED)
    if any(str(fields.get(name, "")).lower() not in FALSE and fields.get(name) not in FALSE for name in GROUP):
        return {"group": (asked, PRESS)}
    name = next((name for name in BUTTONS if name in fields), "button")
    which = fields.get(name, "")
    label = f"{name}_{which}" if isinstance(which, int) else str(which).lower()
    return {label if _may_be_measure(label) else "button": (asked, PRESS)}


def _quantity(name: str) -> bool:
    """Return whether a field is something that only a sensor sends."""
    field = field_of(name)
    return field is not None and field.name in QUANTITIES


def _may_be_measure(name: str) -> bool:
    return is_id(name) and name not in RESERVED_MEASURES


def _measured(fields: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Value, Form]]]:
    for name, value in fields.items():
        if name == BATTERY_OK and isinstance(value, int | float):
            yield "battery", _battery(value)
        elif isinstance(value, int | float) and (field := field_of(name)):
            yield field.name, (field.conversion.of(value), str(field.measure.unit))
        elif isinstance(value, int | float | str) and _may_be_measure(name):
            yield name, (value, TEXT if isinstance(value, str) else NUMBER)


def _battery(level: float) -> tuple[Value, Form]:
    """Return a battery that is low or ok, or how full it is if it says that: rtl_433 writes such a level as 0.750."""
    return (round(level * 100), "%") if isinstance(level, float) else ("ok" if level else "low", WORD)


def measure(name: str, form: Form, declared: Mapping[str, Measure]) -> Measure:
    """Return the declaration of a measure: with the limits of `declared`, where its owner may have set some."""
    if form in FORMS:
        return FORMS[form]
    if name in declared and declared[name].unit == form:
        return declared[name]
    return Measure(form, low=0, high=100) if name == "battery" else quantity(name, form)
