"""What becomes of a configuration of mqtt-io: the devices that stand for it, and remarks on what has no counterpart."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from bootstrap.contract.topics import RESERVED_SENSORS
from penates.mqtt_io.counterparts import BOARD, COUNTERPARTS, HINTS, Counterpart, Settings
from penates.mqtt_io.lines import switched, watched
from penates.mqtt_io.yaml_lines import Entry

LONGEST = 64
MEANINGLESS = ("name", "module", "cleanup", "retain", "ha_discovery")
NOT_OURS = ("logging", "reporting", "options", "stream_modules")
INTERVAL_S = 60.0  # the default of both


@dataclass(frozen=True, order=True)
class Remark:
    """Something that is not taken over, or not as it was, and its line in the configuration."""

    line: int
    text: str


@dataclass(frozen=True)
class CounterpartDevice:
    """A device's file to be written.

    Attributes:
        settings: in TOML.
        decimals: to how many each measure is rounded.
        topics: for each topic of mqtt-io, the measure that takes its place.
        line: where it is in the configuration of mqtt-io.
    """

    name: str
    kind: str
    settings: Settings
    line: int
    topics: Mapping[str, str]
    decimals: Mapping[str, int] = field(default_factory=dict)


class Takeover:
    """A configuration of mqtt-io as devices of a house."""

    def __init__(self, config: Entry) -> None:
        self.devices: list[CounterpartDevice] = []
        self.remarks: list[Remark] = []
        self._names: set[str] = set()
        prefix = config.entry("mqtt").text("topic_prefix")
        self._prefix = f"{prefix}/" if prefix else ""
        self._broker(config)
        self._sensors(config)
        self._lines(config)
        for key in NOT_OURS:
            self._not_ours(config, key)
        self._untaken("", config)
        self.remarks.sort()

    def remark(self, line: int, text: str) -> None:
        """Add a remark."""
        self.remarks.append(Remark(line, text))

    def _broker(self, config: Entry) -> None:
        mqtt = config.entry("mqtt")
        mqtt.ignore("client_id", "topic_prefix", "reconnect_count", "clean_session")
        mqtt.entry("ha_discovery").ignore("enabled")
        host = mqtt.text("host")
        told = [f"host {host}"] if host else []
        told += [f"port {mqtt.text('port')}"] if mqtt.has("port") else []
        told += ["a user name and a password, which are not copied"] if mqtt.text("user") else []
        mqtt.ignore("password")
        if told:
            self.remark(mqtt.line, f"mqtt: {', '.join(told)}: the broker is in house.toml")
        self._untaken("mqtt", mqtt)

    def _not_ours(self, config: Entry, key: str) -> None:
        config.ignore(key)
        for one in config.entries(key) or ([config.entry(key)] if config.has(key) else []):
            module = one.text("module")
            hint = f"; {HINTS[module]}" if module in HINTS else ""
            self.remark(one.line, f"{key}{f' {module}' if module else ''}: no counterpart{hint}")

    def _untaken(self, what: str, entry: Entry) -> None:
        for key, line in entry.untaken():
            self.remark(line, f"{what}{': ' if what else ''}{key}: no counterpart, or not a value that it can have")

    # Sensors.

    def _sensors(self, config: Entry) -> None:
        inputs = config.entries("sensor_inputs")
        for module in config.entries("sensor_modules"):
            own = [one for one in inputs if one.text("module") == module.text("name")]
            module.ignore(*MEANINGLESS)
            self._module(module, own)
        known = {one.text("name") for one in config.entries("sensor_modules")}
        for one in inputs:
            if one.text("module") not in known:
                self.remark(one.line, f"sensor input {one.text('name')}: there is no module {one.text('module')!r}")

    def _module(self, module: Entry, inputs: list[Entry]) -> None:
        number = module.text("module")
        module.ignore("module")
        counterpart = COUNTERPARTS.get(number)
        if counterpart is None:
            names = ", ".join(one.text("name") for one in inputs) or "no input"
            hint = f"; {HINTS[number]}" if number in HINTS else ""
            self.remark(module.line_of("module"), f"sensor module {number} ({names}): no counterpart{hint}")
            return
        for group in [[one] for one in inputs] if counterpart.each else [inputs] if inputs else []:
            self._sensor(module, counterpart, group)
        if not inputs:
            self.remark(module.line, f"sensor module {module.text('name')}: no input reads it")
        self._untaken(f"sensor module {module.text('name')}", module)

    def _sensor(self, module: Entry, counterpart: Counterpart, inputs: list[Entry]) -> None:
        name = self._name(_common([one.text("name") for one in inputs], module.text("name")))
        settings = counterpart.settings(module, inputs[0])
        interval = min(one.take("interval", INTERVAL_S) for one in inputs)
        if interval != INTERVAL_S:
            settings["every_s"] = f"{interval:g}"
        topics, decimals = dict[str, str](), dict[str, int]()
        for one in inputs:
            if not (measure := self._measure(one, counterpart)):
                continue
            topics[f"{self._prefix}sensor/{one.text('name')}"] = measure
            if one.has("digits"):
                decimals[measure] = one.take("digits", 2)
            one.ignore(*MEANINGLESS)
            self._discovery(f"sensor input {one.text('name')}", one)
            self._untaken(f"sensor input {one.text('name')}", one)
        self.devices.append(CounterpartDevice(name, counterpart.kind, settings, inputs[0].line, topics, decimals))

    def _measure(self, sensor: Entry, counterpart: Counterpart) -> str:
        wanted = sensor.text("type")
        if found := counterpart.measures.get(wanted):
            return found
        have = ", ".join(dict.fromkeys(counterpart.measures.values()))
        text = f"sensor input {sensor.text('name')}: type {wanted}: {counterpart.kind} measures {have}"
        self.remark(sensor.line_of("type"), text)
        return ""

    # Lines.

    def _lines(self, config: Entry) -> None:
        modules = {one.text("name"): one for one in config.entries("gpio_modules")}
        for one in modules.values():
            one.ignore(*MEANINGLESS)
            one.ignore("chip")
            if one.text("module") in BOARD:
                self._untaken(f"gpio module {one.text('name')}", one)
            else:
                text = f"gpio module {one.text('module')}: no counterpart; lines are those of the Pi itself"
                self.remark(one.line_of("module"), text)
        ways = (("digital_inputs", "input", watched), ("digital_outputs", "output", switched))
        for key, word, convert in ways:
            for one in config.entries(key):
                what = f"digital {word} {one.text('name')}"
                module = modules.get(one.text("module"))
                if module is None or module.text("module") not in BOARD:
                    self.remark(one.line, f"{what}: no counterpart for its module {one.text('module')!r}")
                    continue
                kind, measure, settings, remarks = convert(one)
                for line, text in remarks:
                    self.remark(line, f"{what}: {text}")
                topics = {f"{self._prefix}{word}/{one.text('name')}": measure}
                self.devices.append(CounterpartDevice(self._name(one.text("name")), kind, settings, one.line, topics))
                one.ignore(*MEANINGLESS)
                self._discovery(what, one)
                self._untaken(what, one)

    def _discovery(self, what: str, one: Entry) -> None:
        found = one.entry("ha_discovery")
        found.ignore("component", "device_class", "unit_of_measurement", "state_class", "expire_after")
        if name := found.text("name"):
            self.remark(found.line_of("name"), f"{what}: ha_discovery: name {name!r}: rename it in Home Assistant")
        self._untaken(f"{what}: ha_discovery", found)

    def _name(self, wanted: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-_")[:LONGEST] or "sensor"
        names = self._numbered(f"{plain}-sensor" if plain in RESERVED_SENSORS else plain)
        found = next(one for one in names if one not in self._names)
        self._names.add(found)
        return found

    @staticmethod
    def _numbered(name: str) -> Iterator[str]:
        yield name
        number = 2
        while True:
            yield f"{name[: LONGEST - 4]}-{number}"
            number += 1


def _common(names: Iterable[str], otherwise: str) -> str:
    """Return what the names of a module's inputs begin with, such as `bath` of `bath_temperature`, `bath_humidity`."""
    found = [*names]
    alike = takewhile(lambda characters: len({*characters}) == 1, zip(*found, strict=False))
    shared = found[0] if len(found) == 1 else "".join(one for one, *_ in alike).rstrip("_- ")
    return shared if len(shared) > 1 else otherwise
