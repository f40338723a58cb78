"""Devices that Zigbee2MQTT lists, with what each exposes, as an adapter can carry them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.adapter.profile import Profile
from bootstrap.adapter.profile_lines import WireCommand, WireValue, filled, places_of

PROFILE = "zigbee2mqtt"
LISTED = "/bridge/devices"
MOST, MOST_BYTES, MOST_PARTS = 500, 8_000_000, 64
PUBLISHED, SETTABLE = 1, 2  # bits of `access`
NAMES = {"contact": "open", "occupancy": "motion", "water_leak": "leak", "illuminance": "light", "state": "on"}
DIAGNOSED = frozenset({"battery", "battery_low", "action"})  # which are measures all the same
ACTIONS = {"on": "set", "brightness": "dim", "position": "move"}
MARKS = re.compile(r"[|={}\s]")  # what a word in a line cannot have
SAY = '{{base}}/{{address}}/set: {words}as {{"{path}": {said}}}'
FULL = "100/{:g} % 0..100"


@dataclass
class ExposedDevice:
    """A device as Zigbee2MQTT lists it.

    Attributes:
        base: the first level of its topics.
        address: its friendly name.
        names: its measures.
        values: lines of those that the profile does not have like this.
        tells: lines of its commands that the profile does not have.
        unclear: what is exposed and not understood, and why.
    """

    base: str
    address: str
    names: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    tells: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    @property
    def lines(self) -> dict[str, Any]:
        """What its section says beside its key."""
        lists = {"only": sorted(self.names), "values": self.values, "tells": self.tells}
        return {name: one for name, one in lists.items() if one}


class ExposedDevices:
    """What is listed on `bridge/devices` of any Zigbee2MQTT."""

    def __init__(self, profile: Profile) -> None:
        """This profile of Zigbee2MQTT has the usual lines."""
        places = places_of("", "", profile.channel)
        self._usual = {filled(one.text, places) for one in profile.values}
        self._told = {one.action: one.sets for one in profile.tells}
        self._lists: dict[str, list[ExposedDevice]] = {}

    def is_one(self, topic: str) -> bool:
        """Return whether a list may be on this topic."""
        return topic.endswith(LISTED)

    def hear(self, topic: str, payload: bytes) -> None:
        """Take notice of a list, which replaces that of before. It may be larger than what is decoded elsewhere."""
        try:
            listed = json.loads(payload) if len(payload) <= MOST_BYTES else None
        except (ValueError, RecursionError):
            return
        if isinstance(listed, list):
            base = topic.removesuffix(LISTED)
            tables = [one for one in listed if isinstance(one, dict) and _is_there(one)]
            self._lists[base] = [self._device(base, one) for one in tables[:MOST]]

    def devices(self) -> Iterator[ExposedDevice]:
        """Yield them all."""
        for devices in self._lists.values():
            yield from devices

    def has_list(self, base: str) -> bool:
        """Return whether the devices below this base are known."""
        return base in self._lists

    def _device(self, base: str, says: Mapping[str, Any]) -> ExposedDevice:
        found = ExposedDevice(base, says["friendly_name"])
        definition = says.get("definition")
        exposes = definition.get("exposes") if isinstance(definition, dict) else None
        for one in [*_parts(exposes)][:MOST_PARTS]:
            try:
                self._add(found, _Exposed(one))
            except (ValueError, TypeError) as error:
                found.unclear.append(f"{one.get('property') or one.get('name') or one.get('type')}: {error}")
        if "position" in found.names and "state" in found.names:
            _forget_state(found)
        return found

    def _add(self, device: ExposedDevice, exposed: "_Exposed") -> None:
        """Add a measure and its command.

        Raises:
            ValueError: it cannot be said in lines, and why.
        """
        name, line = exposed.name, exposed.value_line
        if name in device.names:
            raise ValueError("there are two")
        if f"{name} = {exposed.path} event text" in self._usual:
            line = f"{name} = {exposed.path} event text"  # whatever else a button may say
        command = exposed.command_line
        if line not in self._usual:
            WireValue(line)
            device.values.append(line)
        device.names.append(name)
        if command and self._told.get(exposed.action) != name:
            WireCommand(command)
            device.tells.append(command)


@dataclass(frozen=True)
class _Exposed:
    """One property that a device has; `says` is as Zigbee2MQTT describes it."""

    says: Mapping[str, Any]

    @property
    def path(self) -> str:
        found = str(self.says.get("property"))
        return found if re.fullmatch(r"[\w-]+", found) else f'"{found}"'

    @property
    def name(self) -> str:
        """The measure's name; parts of a device, such as `_l2`, keep their ends."""
        own, end = str(self.says.get("property")), self.says.get("endpoint")
        tail = f"_{end}" if end and own.endswith(f"_{end}") else ""
        plain = own.removesuffix(tail)
        if plain == "state" and (self.says.get("values") or self.says.get("value_on") == "LOCK"):
            usual = "state" if self.says.get("values") else "locked"
        else:
            usual = NAMES.get(plain, plain)
        return re.sub(r"\W+", "_", (usual + tail).lower(), flags=re.ASCII).strip("_")

    @property
    def value_line(self) -> str:
        return f"{self.name} = {self.path} {self._form}"

    @property
    def _form(self) -> str:
        says = self.says
        match says.get("type"):
            case "binary":
                on, off = _word(says["value_on"]), _word(says["value_off"])
                return "true|false" if (on, off) == ("true", "false") else f"{on}=true|{off}=false"
            case "enum":
                return "|".join(map(_word, says["values"]))
            case "text":
                return "text"
            case "numeric":
                return self._number
            case other:
                raise ValueError(f"a {other}")

    @property
    def _number(self) -> str:
        low, high, unit = self.says.get("value_min"), self.says.get("value_max"), self.says.get("unit")
        if self.name.startswith("brightness") and low == 0 and high and not unit:
            return FULL.format(high)
        bounds = (
            f" {low}..{high}" if isinstance(low, int | float) and isinstance(high, int | float) and low < high else ""
        )
        return f"{str(unit).replace(' ', '') if unit else '1'}{bounds}"

    @property
    def action(self) -> str:
        usual = next((one for one in ACTIONS if self.name == one or self.name.startswith(f"{one}_l")), None)
        return self.name.replace(usual, ACTIONS[usual], 1) if usual else f"set_{self.name}"

    @property
    def command_line(self) -> str | None:
        """The line of its command, if it has one that its own value shows."""
        says = self.says
        if not says["access"] & SETTABLE:
            return None
        head = f"{self.action} {self.name} = "
        match says["type"]:
            case "binary":
                on, off = _word(says["value_on"]), _word(says["value_off"])
                words = {"lock": on, "unlock": off} if self.name == "locked" else {"on": on, "off": off}
            case "enum":
                words = {one.lower(): one for one in map(_word, says["values"])}
            case "numeric" if ".." in self._number:
                return head + SAY.format(words="", path=says["property"], said="{}")
            case _:
                return None
        said = "{}" if {*words.values()} <= {"true", "false"} else '"{}"'
        told = "|".join(f"{word}={one}" for word, one in words.items())
        return head + SAY.format(words=f"{told} ", path=says["property"], said=said)


def _is_there(says: Mapping[str, Any]) -> bool:
    """Return whether it is a device whose values can be adopted."""
    name = says.get("friendly_name")
    usable = isinstance(name, str) and name.isprintable() and not {*"+#"} & {*name}
    return usable and says.get("type") != "Coordinator" and not says.get("disabled")


def _parts(exposes: object) -> Iterator[Mapping[str, Any]]:
    """Yield what is measured or done, also within a light, a switch or another whole; not what is only set up."""
    for one in exposes if isinstance(exposes, list) else ():
        if not isinstance(one, dict) or _is_setup(one):
            continue
        if one.get("type") not in ("composite", "list") and isinstance(one.get("features"), list):
            yield from _parts(one["features"])
        elif isinstance(one.get("access"), int) and one["access"] & PUBLISHED:
            yield one


def _is_setup(says: Mapping[str, Any]) -> bool:
    category, name = says.get("category"), str(says.get("name"))
    return category == "config" or (category == "diagnostic" and name not in DIAGNOSED) or name.endswith("_startup")


def _forget_state(device: ExposedDevice) -> None:
    """Leave out the state of a cover whose position is known."""
    device.names.remove("state")
    for lines in (device.values, device.tells):
        lines[:] = [one for one in lines if not re.match(r"(?:set_state )?state = ", one)]


def _word(found: object) -> str:
    word = str(found).lower() if isinstance(found, bool) else str(found)
    if MARKS.search(word) or not word:
        raise ValueError(f"the word {word!r}")
    return word
