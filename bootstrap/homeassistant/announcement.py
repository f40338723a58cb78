"""The announcement of a sensor for Home Assistant's device discovery, made from its `about` alone.

Keys are abbreviated as Home Assistant allows: https://www.home-assistant.io/integrations/mqtt/#discovery-payload.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from bootstrap.contract.liveness import patience_s
from bootstrap.contract.payload import Json, encode
from bootstrap.contract.topics import RECORDER, State, Topics
from bootstrap.homeassistant import controls
from bootstrap.homeassistant.controls import LONGEST_STATE, TEXT, Component, Facts, icon, label

NAME = "penates"
ASIDE = dict.fromkeys(("sensor", "binary_sensor", "event"), "diagnostic")  # others are set, and belong to its settings
LONGEST_TEXT = 1000  # characters of an event's text, an attribute; Home Assistant accepts 16 kB of attributes in all
PROBLEMS, LONGEST_WHY = 30, 100  # most problems in an attribute, and characters of each reason

# By unit: the device class, and the number of decimals shown.
BY_UNIT: dict[str, tuple[str, int]] = {
    "°C": ("temperature", 1),
    "°F": ("temperature", 1),
    "K": ("temperature", 1),
    "hPa": ("pressure", 1),
    "mbar": ("pressure", 1),
    "kPa": ("pressure", 2),
    "bar": ("pressure", 2),
    "Pa": ("pressure", 0),
    "mmHg": ("pressure", 1),
    "inHg": ("pressure", 2),
    "psi": ("pressure", 2),
    "lx": ("illuminance", 0),
    "V": ("voltage", 2),
    "mV": ("voltage", 0),
    "A": ("current", 2),
    "mA": ("current", 0),
    "W": ("power", 0),
    "kW": ("power", 2),
    "mW": ("power", 0),
    "Wh": ("energy", 0),
    "kWh": ("energy", 2),
    "MJ": ("energy", 2),
    "Hz": ("frequency", 1),
    "mm": ("distance", 0),
    "cm": ("distance", 0),
    "m": ("distance", 2),
    "km": ("distance", 2),
    "in": ("distance", 1),
    "ft": ("distance", 1),
    "m/s": ("speed", 1),
    "km/h": ("speed", 1),
    "mph": ("speed", 1),
    "kn": ("speed", 1),
    "ft/s": ("speed", 1),
    "mm/h": ("precipitation_intensity", 1),
    "in/h": ("precipitation_intensity", 2),
    "g": ("weight", 0),
    "kg": ("weight", 1),
    "mg": ("weight", 0),
    "oz": ("weight", 1),
    "lb": ("weight", 1),
    "s": ("duration", 0),
    "min": ("duration", 0),
    "h": ("duration", 1),
    "d": ("duration", 1),
    "B": ("data_size", 0),
    "kB": ("data_size", 0),
    "MB": ("data_size", 1),
    "GB": ("data_size", 2),
    "dB": ("sound_pressure", 0),
    "dBm": ("signal_strength", 0),
    "W/m²": ("irradiance", 0),
    "L": ("volume", 1),
    "m³": ("volume", 3),
    "mL": ("volume", 0),
    "gal": ("volume", 1),
    "L/min": ("volume_flow_rate", 1),
    "m³/h": ("volume_flow_rate", 2),
    "gal/min": ("volume_flow_rate", 1),
}
# By the last part of the measure's name and its unit, where the unit alone does not determine the device class.
BY_NAME: dict[tuple[str, str], tuple[str, int]] = {
    ("humidity", "%"): ("humidity", 0),
    ("moisture", "%"): ("moisture", 0),
    ("battery", "%"): ("battery", 0),
    ("co2", "ppm"): ("carbon_dioxide", 0),
    ("co", "ppm"): ("carbon_monoxide", 0),
    ("pm1", "µg/m³"): ("pm1", 0),
    ("pm25", "µg/m³"): ("pm25", 0),
    ("pm10", "µg/m³"): ("pm10", 0),
    ("rain", "mm"): ("precipitation", 1),
    ("rain", "in"): ("precipitation", 2),
    ("gas", "m³"): ("gas", 3),
    ("water", "m³"): ("water", 3),
    ("water", "L"): ("water", 0),
}
TOTALS = frozenset({"energy", "gas", "water", "volume"})  # device classes of consumption, not of a current value
OTHER_DIGITS = 2
TRUTHS = {  # device class of a boolean, by its name, unless its device declares another
    "open": "opening",
    "motion": "motion",
    "occupied": "occupancy",
    "presence": "occupancy",
    "leak": "moisture",
    "wet": "moisture",
    "smoke": "smoke",
    "gas": "gas",
    "vibration": "vibration",
    "tamper": "tamper",
    "throttled": "problem",
    "problem": "problem",
    "obstructed": "problem",
    "obstruction": "problem",
    "battery_low": "battery",
    "connected": "connectivity",
    "running": "running",
    "light": "light",
}

BUILT_IN: dict[str, Component] = {
    "log": {"name": "Log level", "ent_cat": "config", "en": False},
    "read": {"ent_cat": "diagnostic"},
}
COUNTS = {"stat_cla": "total_increasing"}
NOW = {"stat_cla": "measurement"}
REASON = "{{ (value_json.%s or 'none')[:LONGEST] }}".replace("LONGEST", str(LONGEST_STATE))
DIAGNOSED = frozenset({"state", "problem"})  # what every sensor has, besides its heartbeat
HEARTBEAT: dict[str, Component] = {  # fields of the heartbeat
    "why": {"name": "Reason", "val_tpl": REASON % "why", "en": True},
    "last_reading": {"dev_cla": "timestamp"},
    "uptime_s": {"name": "Uptime", "dev_cla": "duration", "unit_of_meas": "s", **NOW},
    "clock": {"dev_cla": "enum", "ops": ["ok", "unsure"]},
    "reads": COUNTS,
    "faults": {"name": "Failed reads", **COUNTS},
    "invalid": {"name": "Invalid values", **COUNTS},
    "queued": {"name": "Queued readings", **NOW},
    "on_disk": {"name": "Readings on disk", **NOW},
    "storage": {"name": "Storage trouble", "val_tpl": REASON % "storage"},
    "dropped": {"name": "Dropped messages", **COUNTS},
    "reconnects": COUNTS,
    "rss_mb": {"name": "Process memory", "dev_cla": "data_size", "unit_of_meas": "MB", **NOW},
}

ONLINE = "{{ 'online' if value == 'online' else 'offline' }}"
ALIVE = "{{ 'online' if value in ('online', 'fault') else 'offline' }}"
WELL = "{{ 'online' if value_json.get('%s', {}).get('health') == 'ok' else 'offline' }}"
BAD = "{{ 'ON' if value in ('fault', 'lost') else 'OFF' }}"
FIELD = "{{ value_json.%s }}"
HAPPENED = (
    "{% set it = value_json|default(value) %}"
    "{{ {'event_type': 'NAME', 'NAME': it[:LONGEST] if it is string else it}|tojson }}"
).replace("LONGEST", str(LONGEST_TEXT))
WORD = "{{ {'event_type': value_json if value_json is string else value}|tojson }}"
OBJECT = f"{{{{ value[:{LONGEST_STATE}] }}}}"
PROBLEM = (
    "{% set ns = namespace(bad={}) %}{% for name, facts in value_json.items() if facts.health != 'ok' %}"
    "{% if loop.index <= PROBLEMS %}"
    "{% set ns.bad = dict(ns.bad, **{name: (facts.why or facts.health)[:LONGEST]}) %}"
    "{% endif %}{% endfor %}{{ ns.bad|tojson }}"
).replace("PROBLEMS", str(PROBLEMS)).replace("LONGEST", str(LONGEST_WHY))  # fmt: skip


def announcement(topics: Topics, about: Facts) -> bytes:
    """Return the device, its measures and actions, and its diagnostics, as JSON; `about` is as on `status/about`.

    The JSON is assembled in pieces: encoding it as a whole takes memory that each sensor's process would keep.
    """
    found = _Announced(topics, about)
    origin = {"name": NAME, "sw": about["version"]}
    online = {**found.alive, "val_tpl": ONLINE}  # for components that are not measures
    head = encode({"dev": found.device(), "o": origin, "avty": [online], "avty_mode": "all"})
    pieces = (
        b'"%s":%s' % (key.encode(), encode({**component, "uniq_id": f"{found.identity}/{key}"}))
        for key, component in found.components()
    )
    return b'%s,"cmps":{%s}}' % (head.removesuffix(b"}"), b",".join(pieces))


def removal(before: Json, now: Facts) -> dict[str, Any] | None:
    """Return an announcement that removes components which are gone or have another platform; None if there are none.

    The removed components come first: Home Assistant skips what follows a component that it is still setting up.
    """
    match before:
        case {"dev": {"ids": ids}, "cmps": {**old}} if ids == now["dev"]["ids"]:
            new, platforms = now["cmps"], {key: thing.get("p") for key, thing in old.items() if isinstance(thing, dict)}
            gone = {key: {"p": was} for key, was in platforms.items() if new.get(key, {}).get("p") != was}
            return {**now, "cmps": {**gone, **{key: new[key] for key in new if key not in gone}}} if gone else None
    return None


class _Announced:
    """Builds the announcement of one sensor."""

    def __init__(self, topics: Topics, about: Facts) -> None:
        self._topics, self._about = topics, about
        self._measures: Mapping[str, Facts] = about["measures"]
        self.identity = f"{NAME}/{topics.client_id}"
        self.alive = {"t": topics.status("state"), "val_tpl": ALIVE}

    def device(self) -> dict[str, Any]:
        """Return the device. A sensor whose id is the host's name represents the host; others are reached via it."""
        host, sensor = str(self._about["host"]).partition(".")[0], self._topics.sensor
        names = {"name": self._called(sensor), "mf": NAME, "mdl": self._about["kind"], "sw": self._about["version"]}
        if sensor == host:
            return {"ids": [self.identity, f"{NAME}@{host}"], **names}
        return {"ids": [self.identity], **names, "via_device": f"{NAME}@{host}"}

    def _called(self, sensor: str) -> str:
        """Return the device's name: a recorder measures nothing of the house, and stands for penates itself."""
        if self._about["kind"] != RECORDER:
            return sensor
        return NAME if sensor == RECORDER else f"{NAME} {sensor}"

    def components(self) -> Iterator[tuple[str, Component]]:
        """Yield each component with its key. A recorder's are no part of the house: dashboards leave them out."""
        for key, component in self._components():
            aside = {} if self._about["kind"] != RECORDER else {"ent_cat": ASIDE.get(component["p"], "config")}
            yield key, {**aside, **component}

    def _components(self) -> Iterator[tuple[str, Component]]:
        offered = {name: self._control(name, takes) for name, takes in self._about["actions"].items()}
        shown = {name: control["p"] for control in offered.values() for name in self._shown_by(control)}
        for name, facts in self._measures.items():
            declared = {} if shown.get(name) in controls.CLASSED else _shown_as(facts)  # else that is the control's
            yield f"data_{name}", {**self._measure(name, facts, declared), **({"en": False} if name in shown else {})}
        for name, component in offered.items():
            yield f"action_{name}", component
            head, takes = self._head(name), self._about["actions"][name]
            further = controls.further_buttons(head, takes, component)
            yield from ((f"action_{name}_{word}", each) for word, each in further)
        for name, component in _diagnostics(self._topics, self._about["heartbeat_s"], self.alive):
            yield f"status_{name}", component

    def _well(self, measure: str) -> dict[str, Any]:
        """Return its availability: while its own health is ok, even if another measure has a fault."""
        return {"avty": [self.alive, {"t": self._topics.status("health"), "val_tpl": WELL % measure}]}

    # Measures.

    def _measure(self, name: str, facts: Facts, shown: Component) -> Component:
        """Return a measure; `shown` is the device class or icon that is declared for it."""
        taken = name in DIAGNOSED  # by that of every sensor, which would be called the same
        called = label(f"{self._about['kind']} {name}" if taken else name)
        head = {"name": called, "stat_t": self._topics.data(name), **self._well(name)}
        words = facts.get("words")
        if facts.get("event") and words:
            return {"p": "event", **head, "evt_typ": words, "val_tpl": WORD, **shown}
        if facts.get("event"):
            return {"p": "event", **head, "evt_typ": [name], "val_tpl": HAPPENED.replace("NAME", name), **shown}
        head["exp_aft"] = math.ceil(patience_s(facts["every_s"]))
        match facts["unit"]:
            case "bool":
                usual = {"dev_cla": TRUTHS[name]} if name in TRUTHS else {}
                return {"p": "binary_sensor", **head, "pl_on": "true", "pl_off": "false", **usual, **shown}
            case "str":
                enum = {"dev_cla": "enum", "ops": words, **icon(facts)} if words else shown
                return {"p": "sensor", **head, "val_tpl": TEXT, **enum}
            case "object":
                return {"p": "sensor", **head, "val_tpl": OBJECT, "json_attr_t": head["stat_t"], **shown}
            case unit:
                return {"p": "sensor", **head, **_number(name, unit, facts), **shown}

    # Actions.

    def _control(self, name: str, takes: Facts) -> Component:
        sets, head = takes.get("sets"), self._head(name)
        if not sets:
            return controls.control(head, takes, {}, {})
        facts, data = self._measures[sets], {name: self._topics.data(name) for name in self._measures}
        return controls.control(head | {"stat_t": data[sets], **self._well(sets), **icon(facts)}, takes, facts, data)

    def _head(self, action: str) -> Component:
        return {"name": label(action), "cmd_t": self._topics.action(action), **BUILT_IN.get(action, {})}

    def _shown_by(self, control: Component) -> Iterator[str]:
        """Yield the measures that a control shows."""
        if control["p"] in controls.SHOWN_BY:
            topics = {control[key] for key in ("stat_t", "pos_t") if key in control}
            yield from (name for name in self._measures if self._topics.data(name) in topics)


def _shown_as(facts: Facts) -> Component:
    """Return the device class, or the icon, that the device declares for a measure."""
    declared = facts.get("shown_as")
    return icon(facts) or ({"dev_cla": declared} if declared else {})


def _number(name: str, unit: str, facts: Facts) -> Component:
    found = BY_NAME.get((name.rpartition("_")[2], unit)) or BY_UNIT.get(unit)
    kind, counter = _shown_as(facts).get("dev_cla", found[0] if found else ""), bool(facts.get("counter"))
    grows = "total_increasing" if counter else "total" if kind in TOTALS else "measurement"
    digits = found[1] if found else 0 if counter or unit == "%" else OTHER_DIGITS
    return {**({"dev_cla": kind} if found else {}), "stat_cla": grows, **controls.unit(unit), "sug_dsp_prc": digits}


def _diagnostics(topics: Topics, heartbeat_s: float, alive: Component) -> Iterator[tuple[str, Component]]:
    """Yield entities for state, health and heartbeat; most are disabled, because they would fill a database."""
    head = {"ent_cat": "diagnostic"}
    always = {**head, "stat_t": topics.status("state"), "avty": []}  # available even if the sensor is gone
    yield "state", {"p": "sensor", "name": "State", **always, "dev_cla": "enum", "ops": [*get_args(State)]}
    bad = {"name": "Problem", "dev_cla": "problem", "val_tpl": BAD}
    problems = {"json_attr_t": topics.status("health"), "json_attr_tpl": PROBLEM}
    yield "problem", {"p": "binary_sensor", **always, **bad, **problems}
    if not heartbeat_s:
        return
    beat = {
        **head,
        "stat_t": topics.status("heartbeat"),
        "avty": [alive],
        "exp_aft": math.ceil(patience_s(heartbeat_s)),
    }
    for name, more in HEARTBEAT.items():
        yield name, {"p": "sensor", "name": label(name), **beat, "en": False, "val_tpl": FIELD % name, **more}
