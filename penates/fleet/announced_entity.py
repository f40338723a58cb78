"""One entity as a device announces it to Home Assistant, as lines of an adapter's section."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.adapter.profile_lines import WireCommand, WirePresence, WireValue
from bootstrap.answers.answer_value import WHOLE

LONG = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "exp_aft": "expire_after",
    "ids": "identifiers",
    "o": "origin",
    "obj_id": "object_id",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "t": "topic",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
STEP = r"\.[A-Za-z_]\w*|\[\s*(?:'[^'\"]*'|\"[^'\"]*\"|\d+)\s*\]"
FILTER = r"\s*\|\s*(?:is_defined|(?:float|round|int|default)(?:\(\s*[^(){}|]*\))?)"
TEMPLATE = re.compile(rf"\s*\{{\{{\s*(?P<of>value_json|value)(?P<steps>(?:{STEP})*)(?:{FILTER})*\s*\}}\}}\s*")
STEPS = re.compile(r"\.(\w+)|\[\s*['\"]?([^'\"\]]*?)['\"]?\s*\]")
PLAIN = re.compile(r"[\w-]+")
NAMES = {
    **dict.fromkeys(("door", "window", "opening", "garage_door"), "open"),
    **dict.fromkeys(("motion", "occupancy"), "motion"),
    "moisture": "leak",
}
MARKS = re.compile(r"[|={}\s]")  # what a word in a line cannot have


def with_long_names(found: Mapping[str, Any], outer: object = None) -> dict[str, Any]:
    """Return an announcement, or a part of one, without abbreviations: of its names, and of topics by `~`.

    `outer` is what `~` stands for if that is said around it.
    """
    base = found.get("~", outer)
    return {LONG.get(name, name): _long(LONG.get(name, name), one, base) for name, one in found.items() if name != "~"}


def _long(name: str, found: object, base: object) -> object:
    if name == "availability" and isinstance(found, list):
        return [with_long_names(one, base) for one in found if isinstance(one, dict)]
    return _filled(found, base) if name.endswith("topic") and isinstance(base, str) else found


def _filled(topic: object, base: str) -> object:
    if not isinstance(topic, str):
        return topic
    topic = base + topic[1:] if topic.startswith("~") else topic
    return topic[:-1] + base if topic.endswith("~") else topic


def path_of(template: object) -> str:
    """Return the path of the value that a template takes; `float`, `round`, `int` and `default` are not applied.

    Raises:
        ValueError: it is more than a path with such filters.
    """
    if template is None:
        return WHOLE
    found = TEMPLATE.fullmatch(str(template))
    if found is None or (found["of"] == "value" and found["steps"]):
        raise ValueError(f"template {template}")
    names = [plain or quoted for plain, quoted in STEPS.findall(found["steps"])]
    return ".".join(name if PLAIN.fullmatch(name) else f'"{name}"' for name in names) or WHOLE


@dataclass(frozen=True)
class AnnouncedEntity:
    """An entity; `says` is its announcement with long names, and `platform` is such as `sensor`."""

    platform: str
    says: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The measure's name: by its class where that is a usual one, else its own."""
        kind = self.says.get("device_class")
        if isinstance(kind, str) and self.platform in ("sensor", "binary_sensor"):
            return NAMES.get(kind, kind)
        if self.platform == "switch":
            return "on"
        return self.own_name

    @property
    def own_name(self) -> str:
        """What the device calls it, as a measure may be called."""
        told = next((self.says[one] for one in ("name", "object_id", "unique_id") if self.says.get(one)), self.platform)
        return re.sub(r"\W+", "_", str(told).lower(), flags=re.ASCII).strip("_")[:40] or self.platform

    def value(self, name: str) -> str:
        """Return the line of its value.

        Raises:
            ValueError: it cannot be said in one, and why.
        """
        topic = self._topic("state_topic")
        line = f"{name} = {topic}: {path_of(self.says.get('value_template'))} {self._form()}"
        WireValue(line)
        return line

    def command(self, name: str) -> str | None:
        """Return the line of its command, if it has one.

        Raises:
            ValueError: it cannot be said in one, and why.
        """
        if self.platform != "switch" or "command_topic" not in self.says:
            return None
        if self.says.get("command_template"):
            raise ValueError(f"template {self.says['command_template']}")
        on, off = self._word("payload_on", "ON"), self._word("payload_off", "OFF")
        action = "set" if name == "on" else f"set_{name}"
        line = f"{action} {name} = {self._topic('command_topic')}: on={on}|off={off}"
        WireCommand(line)
        return line

    def presences(self) -> Iterator[str]:
        """Yield the lines that say whether it is there.

        Raises:
            ValueError: one cannot be said so, and why.
        """
        several = self.says.get("availability")
        each: list[Mapping[str, Any]] = [*several] if isinstance(several, list) else []
        if "availability_topic" in self.says:
            template = self.says.get("availability_template")
            each.append({**self.says, "topic": self.says["availability_topic"], "value_template": template})
        for one in each:
            entity = AnnouncedEntity(self.platform, one)
            words = (
                entity._word("payload_available", "online") + "=true",
                entity._word("payload_not_available", "offline") + "=false",
            )
            line = f"{entity._topic('topic')}: {path_of(one.get('value_template'))} {'|'.join(words)}"
            WirePresence(line)
            yield line

    def _form(self) -> str:
        if self.platform == "sensor":
            unit = self.says.get("unit_of_measurement")
            return str(unit) if unit else "1" if self.says.get("state_class") else "text"
        if self.platform not in ("binary_sensor", "switch"):
            raise ValueError(f"a {self.platform}")
        on, off = self._word("payload_on", "ON"), self._word("payload_off", "OFF")
        words = dict.fromkeys((on, self._word("state_on", on)), "true")
        words |= dict.fromkeys((off, self._word("state_off", off)), "false")
        return "|".join(f"{word}={truth}" for word, truth in words.items())

    def _word(self, setting: str, usual: str) -> str:
        """Return a word; true and false are written as in JSON, though templates make True and False of them."""
        found = self.says.get(setting, usual)
        word = str(found).lower() if isinstance(found, bool) or found in ("True", "False") else str(found)
        if MARKS.search(word) or not word:
            raise ValueError(f"{setting} {word!r}")
        return word

    def _topic(self, setting: str) -> str:
        found = self.says.get(setting)
        if not isinstance(found, str) or not found:
            raise ValueError(f"no {setting}")
        if re.search(r"[\s{}+#]", found):
            raise ValueError(f"{setting} {found!r}")
        return found
