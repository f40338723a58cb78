"""What a transmission says, in our units."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bootstrap.device import Measure, Value, is_measure_name
from bootstrap.quantities import quantity
from bootstrap.radio.transmission import Transmission
from bootstrap.radio.units import field_of

# What a measure is declared as, in short: the unit of a number that is known, or one of the forms below.
Form: TypeAlias = str
NUMBER, TEXT, PRESS, WORD = "number", "text", "press", "word"
UNKNOWN = frozenset({NUMBER, TEXT})
BATTERY_OK = "battery_ok"
BATTERY = Measure(str, words=("low", "ok"))
FORMS = {NUMBER: Measure("1"), TEXT: Measure(str), PRESS: Measure(str, event=True), WORD: BATTERY}
UNITS = {"1": "", NUMBER: "", TEXT: "", PRESS: "", WORD: ""}  # as people read a value
SNR = ("snr", "dB")  # how far a transmission is above the noise


def of(heard: Transmission) -> dict[str, tuple[Value, Form]]:
    """Return each value with the form of its measure."""
    if heard.press:
        button, asked = heard.press
        return {button: (asked, PRESS)}
    found = dict(_measured(heard.fields))
    if heard.snr is not None:
        found[SNR[0]] = (heard.snr, SNR[1])
    return found


def _measured(fields: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Value, Form]]]:
    for name, value in fields.items():
        if name == BATTERY_OK and isinstance(value, int | float):
            yield "battery", _battery(value)
        elif isinstance(value, int | float) and (field := field_of(name)):
            yield field.name, (field.conversion.of(value), str(field.measure.unit))
        elif isinstance(value, int | float | str) and is_measure_name(name):
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


def said(heard: Transmission) -> str:
    """Return what a transmission says as text for people."""
    return ", ".join(f"{name} {value}{UNITS.get(form, f' {form}')}" for name, (value, form) in of(heard).items())
