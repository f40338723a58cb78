"""One entity as a device announces it to Home Assistant, as lines of an adapter's section."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.adapter.profile_lines import WirePresence
from bootstrap.answers.answer_value import WHOLE

LONG = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "bri": "brightness",
    "bri_cmd_t": "brightness_command_topic",
    "bri_scl": "brightness_scale",
    "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "evt_typ": "event_types",
    "exp_aft": "expire_after",
    "ids": "identifiers",
    "o": "origin",
    "obj_id": "object_id",
    "ops": "options",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_cls": "payload_close",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "pl_open": "payload_open",
    "pl_prs": "payload_press",
    "pos_clsd": "position_closed",
    "pos_open": "position_open",
    "pos_t": "position_topic",
    "pos_tpl": "position_template",
    "set_pos_t": "set_position_topic",
    "set_pos_tpl": "set_position_template",
    "stat_clsd": "state_closed",
    "stat_closing": "state_closing",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_open": "state_open",
    "stat_opening": "state_opening",
    "stat_stopped": "state_stopped",
    "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template",
    "t": "topic",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
STEP = r"\.[A-Za-z_]\w*|\[\s*(?:'[^'\"]*'|\"[^'\"]*\"|\d+)\s*\]"
FILTER = (
    r"\s*\|\s*(?:is_defined|(?:float|int)(?:\(\s*-?[\d.]*\s*\))?|round(?:\(\s*\d?\s*\))?"
    r"|default(?:\(\s*(?:'[^'\"\s|()]*'|\"[^'\"\s|()]*\"|-?[\w.]*)\s*\))?)"
)
APPLIED = re.compile(r"\|\s*(round|int|default)(?:\(\s*['\"]?([^()'\"]*?)['\"]?\s*\))?")
GIVEN = re.compile(r"\{\{\s*value\s*(?:\|\s*(?:int|float|round|string)\s*)?\}\}")  # where a command has its value
TEMPLATE = re.compile(
    rf"\s*\{{\{{\s*(?P<of>value_json|value)(?P<steps>(?:{STEP})*)(?P<filters>(?:{FILTER})*)\s*\}}\}}\s*"
)
STEPS = re.compile(r"\.(\w+)|\[\s*['\"]?([^'\"\]]*?)['\"]?\s*\]")
PLAIN = re.compile(r"[\w-]+")
NAMES = {
    **dict.fromkeys(("door", "window", "opening", "garage_door"), "open"),
    **dict.fromkeys(("motion", "occupancy"), "motion"),
    "moisture": "leak",
}
USUAL = {"switch": "on", "light": "on", "cover": "position"}
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
    """Return the path of the value that a template takes, with `round`, `int` and `default` behind it.

    Raises:
        ValueError: it is more than a path with such filters.
    """
    if template is None:
        return WHOLE
    found = TEMPLATE.fullmatch(str(template))
    if found is None or (found["of"] == "value" and found["steps"]):
        raise ValueError(f"template {template}")
    names = [plain or quoted for plain, quoted in STEPS.findall(found["steps"])]
    path = ".".join(name if PLAIN.fullmatch(name) else f'"{name}"' for name in names) or WHOLE
    return path + "".join(
        f"|{name}" + (f"({given})" if name == "default" or (name == "round" and given) else "")
        for name, given in APPLIED.findall(found["filters"])
        if name != "default" or names
    )


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
        return USUAL.get(self.platform, self.own_name)

    @property
    def own_name(self) -> str:
        """What the device calls it, as a measure may be called."""
        told = next((self.says[one] for one in ("name", "object_id", "unique_id") if self.says.get(one)), self.platform)
        return re.sub(r"\W+", "_", str(told).lower(), flags=re.ASCII).strip("_")[:40] or self.platform

    def value_at(self, name: str, topic: str, template: str, form: str) -> str:
        """Return the line of a value that is on the topic which one setting names, by the template of another."""
        return f"{name} = {self.topic(topic)}: {path_of(self.says.get(template))} {form}"

    def command_at(self, action: str, sets: str, topic: str, words: str, template: str = "command_template") -> str:
        """Return the line of a command; `words` is empty for a number.

        Raises:
            ValueError: its payload is more than the value within a text.
        """
        given = self.says.get(template)
        said = "" if given is None else GIVEN.sub("{}", str(given), count=1)
        if "{{" in said or "{%" in said or (said and "{}" not in said):
            raise ValueError(f"template {given}")
        payload = f"as {said}" if said and said != "{}" else ""
        return f"{action} {sets} = {self.topic(topic)}: {' '.join(filter(None, (words, payload)))}"

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
                entity.word("payload_available", "online") + "=true",
                entity.word("payload_not_available", "offline") + "=false",
            )
            line = f"{entity.topic('topic')}: {path_of(one.get('value_template'))} {'|'.join(words)}"
            WirePresence(line)
            yield line

    def word(self, setting: str, usual: str) -> str:
        """Return a word; true and false are written as in JSON, though templates make True and False of them."""
        found = self.says.get(setting, usual)
        word = str(found).lower() if isinstance(found, bool) or found in ("True", "False") else str(found)
        if MARKS.search(word) or not word:
            raise ValueError(f"{setting} {word!r}")
        return word

    def words(self) -> str:
        """Return the words of something that is on or off, as a line has them.

        Raises:
            ValueError: one cannot stand in a line.
        """
        on, off = self.word("payload_on", "ON"), self.word("payload_off", "OFF")
        words = dict.fromkeys((on, self.word("state_on", on)), "true")
        words |= dict.fromkeys((off, self.word("state_off", off)), "false")
        return "|".join(f"{word}={truth}" for word, truth in words.items())

    def turns(self) -> str:
        """Return the words of a command that turns it on or off, as a line has them."""
        return f"on={self.word('payload_on', 'ON')}|off={self.word('payload_off', 'OFF')}"

    def number(self, setting: str, usual: float) -> float:
        """Return a number.

        Raises:
            ValueError: it is none.
        """
        found = self.says.get(setting, usual)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise ValueError(f"{setting} {found!r}")  # noqa: TRY004 - a reason like the others
        return found

    def topic(self, setting: str) -> str:
        """Return the topic that a setting names.

        Raises:
            ValueError: it names none that a line can have.
        """
        found = self.says.get(setting)
        if not isinstance(found, str) or not found:
            raise ValueError(f"no {setting}")
        if re.search(r"[\s{}+#]", found):
            raise ValueError(f"{setting} {found!r}")
        return found
