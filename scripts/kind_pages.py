"""The page of each kind: wiring, settings, measures, actions, an example and its proof, from the class alone."""

import inspect
import math
import re
from collections.abc import Iterator, Sequence

from bootstrap.contract.payload import Json, encode
from bootstrap.contract.topics import Topics, private_group
from bootstrap.device import ACT, BUILT_IN_ACTIONS, Device, Measure, Takes
from bootstrap.gateway import Gateway
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from chip_table import HEAD as CHIP_HEAD
from chip_table import drivers
from markdown_table import table
from penates.commands.kinds import action, limits_of, notes_of
from penates.datasheet import Setting, Sheet, settings_of, toml

GROUP = "home"
HOST = "raspberrypi"  # as Raspberry Pi OS names itself
TIME, RUN = "2026-11-27T18:34:43.968136Z", "q4xafho2"
USUAL: dict[str, tuple[float, ...]] = {  # by unit: values as in a house
    "°C": (21.5,),
    "%": (48.2,),
    "hPa": (1013.2,),
    "lx": (320.0,),
    "V": (3.28, 230.0),
    "A": (0.42,),
    "W": (96.6,),
    "ppm": (640.0,),
    "m/s": (3.4,),
    "°": (135.0, 52.4),
    "mm": (12.4,),
    "rpm": (1180.0,),
    "s": (0.8,),
    "Hz": (50.0,),
    "cm": (84.0,),
    "kg": (1.25,),
    "g": (1250.0,),
    "Wh": (5230.0,),
    "kWh": (1820.6,),
    "m³": (812.34,),
    "L/min": (7.5,),
    "dBm": (-61.0,),
    "µg/m³": (7.0,),
}
SPACE = "\n\n"
OTHER = 3  # where the unit does not tell, and the range allows
SHOWN = re.compile(r"`([^`]+)`")
HEAD = "<!-- Written by scripts/kinds from daemons/{}.py: change that, not this. -->"


def page(found: Sheet) -> str:
    """Return the page of a kind, in Markdown."""
    parts = [HEAD.format(found.kind), f"# {found.kind}", *_what(found), *_wiring(found), *_settings(found)]
    parts += [*_measures(found), *_actions(found), *_on_the_wire(found), *_proof(found)]
    return "\n\n".join(parts) + "\n"


def _what(found: Sheet) -> Iterator[str]:
    yield found.what
    if found.device.parts:
        yield f"Parts: {', '.join(found.device.parts)}."


def _wiring(found: Sheet) -> Iterator[str]:
    yield "## Wiring"
    for label, drawn in found.pictures():
        yield f"{f'{label}:{SPACE}' if label else ''}```text\n{drawn}\n```"
    yield found.wiring[:1].upper() + found.wiring[1:]
    if issubclass(found.device, KernelSensor):
        yield from _drivers([*(found.device.chips or found.device.parts)])
    else:
        yield from (f"Driver: {step}." for step in found.driver(found.examples()))


def _drivers(parts: list[str]) -> Iterator[str]:
    yield "The kernel learns of it by a line in config.txt ([CHIPS.md](../CHIPS.md)). The part is the setting `chip`:"
    yield table(CHIP_HEAD, drivers(parts))


def _settings(found: Sheet) -> Iterator[str]:
    values = found.examples()
    yield "## Settings"
    yield table(("setting", "default", "meaning"), _setting_rows([*found.settings, *found.sharing]))
    if issubclass(found.device, Gateway):
        yield "Of each sensor that it carries, in a section `[sensors.NAME]`:"
        yield table(("setting", "default", "meaning"), _setting_rows([*settings_of(found.device.adopts)]))
    given = "".join(f" {_word(f'{name}={value}')}" for name, value in values.items())
    command = f"penates new {found.kind} {_sensor(found)}{given}"
    yield f"This writes its file, in which each of them is explained:\n\n```sh\n{command}\n```"
    yield "Without the explanations it is:"
    rows = [f"kind = {toml(found.kind)}", *(f"{name} = {value}" for name, value in values.items())]
    yield "```toml\n" + "\n".join(rows) + "\n```"


def _sensor(found: Sheet) -> str:
    """Return a sensor id for the examples."""
    return f"my_{found.kind}" if found.device.sensor_id is Device.sensor_id else HOST


def _word(text: str) -> str:
    """Return a word of a command, in quotes if the shell would take it apart."""
    return f"'{text}'" if {*text} & {*'[]{}" $;*'} else text


def _setting_rows(settings: Sequence[Setting]) -> Iterator[tuple[str, ...]]:
    above = ""
    for one in settings:
        default = "to be set" if one.required else "unset" if one.default is None else f"`{toml(one.default)}`"
        above = one.sentence or above
        yield f"`{one.name}`", default, above


def _measures(found: Sheet) -> Iterator[str]:
    yield "## Measures"
    rows = [(f"`{name}`", *_measure(one)) for name, one in found.measures.items()]
    yield table(("measure", "unit", "range", "notes"), rows)


def _measure(one: Measure) -> tuple[str, str, str]:
    words = ", ".join(f"`{word}`" for word in one.words)
    return one.unit_name, words or limits_of(one.facts), ", ".join(notes_of(one))


def _actions(found: Sheet) -> Iterator[str]:
    yield "## Actions"
    rows = [(f"`{action(name, takes)}`", _meaning(found.device, name)) for name, takes in found.device.commands.items()]
    yield table(("action", "what it does"), rows)


def _meaning(device: type[Device], name: str) -> str:
    built_in = {"log": "Set the log level.", "read": "Read now."}
    return built_in.get(name) or (inspect.getdoc(getattr(device, ACT + name)) or "").partition("\n\n")[0]


def _on_the_wire(found: Sheet) -> Iterator[str]:
    private = found.device.private
    topics = Topics(private_group(GROUP) if private else GROUP, _sensor(found))
    device = found.made(found.examples()) or found.device
    measures = device.measures
    values = {name: example(one) for name, one in measures.items()}
    lasting = {name: value for name, value in values.items() if not measures[name].event}
    reading: dict[str, Json] = {"time": TIME, "run": RUN, "seq": 15, **lasting}
    rows = [f"{topics.data(name)} {encode(value).decode()}" for name, value in values.items()]
    rows += [] if private else [f"{topics.data('reading')} {encode(reading).decode()}"]
    yield "## On the wire"
    yield f"Such as `mosquitto_sub -v -t '{topics.client_id}/data/#'` prints it:"
    yield "```text\n" + "\n".join(rows) + "\n```"
    own = [(name, takes) for name, takes in device.commands.items() if name not in BUILT_IN_ACTIONS]
    if commands := [
        f"penates send {topics.client_id} {name}{_given(takes, _meaning(found.device, name))}" for name, takes in own
    ]:
        yield "```sh\n" + "\n".join(commands) + "\n```"


def _given(takes: Takes, meaning: str) -> str:
    """Return an example of what an action takes: a word, a number, or what its docstring shows."""
    if takes.words:
        return f" {takes.words[0]}"
    if math.isfinite(takes.low) and math.isfinite(takes.high):
        return f" {takes.low if math.isfinite(takes.step) else (takes.low + takes.high) / 2:g}"
    shown = SHOWN.search(meaning)
    return f" {_word(shown[1])}" if shown else ""


def example(one: Measure) -> Json:
    """Return a value that this measure could have."""
    if one.unit is bool:
        return True
    if one.unit is str:
        return next(iter(one.words), "…")
    if one.unit is dict:
        return {}
    usual = next((value for value in USUAL.get(str(one.unit), (OTHER,)) if one.low <= value <= one.high), None)
    if usual is not None:
        return usual
    if math.isfinite(one.low) and math.isfinite(one.high):
        return (one.low + one.high) / 2
    return one.low if math.isfinite(one.low) else one.high


def _proof(found: Sheet) -> Iterator[str]:
    parts = found.device.parts
    by_proof = {proof: ", ".join(part for part, how in parts.items() if how == proof) for proof in parts.values()}
    if by_proof:
        yield "## Proof"
        yield table(("proven by", "for"), by_proof.items())
