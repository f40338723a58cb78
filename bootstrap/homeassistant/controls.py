"""The control that Home Assistant offers for an action, by what the action takes.

Keys are abbreviated as Home Assistant allows: https://www.home-assistant.io/integrations/mqtt/#discovery-payload.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Facts: TypeAlias = Mapping[str, Any]
Component: TypeAlias = dict[str, Any]

EXPIRES_S = 10  # age at which the sensor refuses a command
LONGEST_STATE = 255  # characters that Home Assistant accepts as a state
ICON = "mdi:"  # how an icon begins, where a device declares one in place of a device class
DIM_STEP = 0.01  # between two brightnesses, where a light has none of its own
SPEED_STEP = 1.0  # between two speeds, where a fan has none of its own
FINEST = 0.001  # smallest step of a number
ALL = 100  # % of a cover's position and a fan's speed
SHOWN_BY = frozenset({"switch", "light", "lock", "cover", "valve", "fan"})  # those that show a measure as well
SWITCHED = ("on", "off", "toggle")  # what a switch does
SET = "Set"  # the name of the usual action, which says less than its word
CLASSED = frozenset({"cover", "valve"})  # those that have classes of their own
COVERS = frozenset({"awning", "blind", "curtain", "damper", "door", "garage", "gate", "shade", "shutter", "window"})
VALVES = frozenset({"water", "gas"})

# The `id` makes each command one that was never sent before, for actions that refuse what they have carried out.
BEFORE = (
    f',"before":"{{{{ (utcnow() + timedelta(seconds={EXPIRES_S})).isoformat() }}}}"'
    ',"id":"{{ utcnow().timestamp() }}"}'
)
COMMAND = '{"value":{{ value|tojson }}' + BEFORE
UNLOCKER = '{"value":{"state":{{ value|tojson }},"by":"Home Assistant"}' + BEFORE
TURN_OFF = '{"value":"off"' + BEFORE
DIM = '{"value":{{ ((brightness * %.12g / 255)|round * %.12g)|round(6) if brightness is defined else "on"|tojson }}'
SPEED = '{"value":{{ (value * %.12g)|round(6) }}' + BEFORE
PLACE = '{"value":{{ position }}' + BEFORE
END = '{"value":{{ ("open" if position >= 50 else "close")|tojson }}' + BEFORE
TEXT = f"{{{{ (value_json if value_json is string else value)[:{LONGEST_STATE}] }}}}"
LIT = "{{ 'on' if value|float(0) > 0 else 'off' }}"
BRIGHTNESS = "{{ (value|float(0) * 255 / %g)|round|int }}"
SPEEDS = "{{ (value|float(0) / %.12g)|round|int }}"
MODE = "{{ 'auto' if value == 'following' else 'None' }}"
STATE = "{{ 'None' if value == 'unknown' else value }}"
# Home Assistant takes a cover that has stopped while it was closing for a closed one.
COVER = "{{ {'unknown': 'None', 'stopped': 'open'}.get(value, value) }}"
POSITION = "{{ value|float(0)|round|int if value else '' }}"  # it is cleared when nobody knows it
ENDS = "{{ {'open': 100, 'closed': 0, 'unknown': ''}.get(value, 50) }}"
# Its `None` does not end what a lock was doing before, which would be shown for ever.
LOCK = (
    "{% if value != 'unknown' %}{{ value }}"
    "{% elif this.state in ('locking', 'unlocking', 'jammed') %}jammed{% else %}None{% endif %}"
)


def control(head: Component, takes: Facts, shown: Facts, data: Mapping[str, str]) -> Component:
    """Return the component for an action: a text field if nothing is known of what it takes.

    Args:
        head: what any of them has: name, topics, availability.
        takes: as in `status/about`.
        shown: the facts of the measure that shows what was set; empty if none does.
        data: the topic of each measure.
    """
    match takes.get("control") if shown else None:
        case "lock":
            return _lock(head)
        case "cover":
            return _cover(head, takes, shown, data.get("position"))
        case "valve":
            return _valve(head, takes, shown)
        case "fan":
            return _fan(head, takes, data.get("mode"))
    return _by_values(head, takes, shown)


def _by_values(head: Component, takes: Facts, shown: Facts) -> Component:
    words = takes.get("words", [])
    turns = {"on", "off"} <= {*words}
    if turns and takes.get("low") == 0 and "high" in takes:
        return _light(head, takes["high"], takes.get("step", DIM_STEP))
    if turns and (not shown or shown["unit"] == "bool"):
        return _switch(head, takes.get("sets"), assumed=bool(shown.get("assumed")))
    if {"low", "high"} <= takes.keys():
        return _slider(head, takes)
    if len(words) == 1:
        return button({**head, "name": label(words[0])} if head["name"] == SET else head, words[0])
    what = {"p": "select", "ops": words, "cmd_tpl": COMMAND} if words else {"p": "text"}
    return {**what, **head, **({"val_tpl": TEXT} if shown else {})}


def button(head: Component, word: str) -> Component:
    """Return a button that sends this word."""
    stateless = {key: value for key, value in head.items() if key != "stat_t"}
    return {"p": "button", **stateless, "pl_prs": word, "cmd_tpl": COMMAND}


def further_buttons(head: Component, takes: Facts, offered: Component) -> Iterator[tuple[str, Component]]:
    """Yield each word that the component offered for an action does not send, with a button for it.

    Of a cover these are the words that must expire; of a switch those that neither switch on nor off, such as `auto`.
    """
    words = []
    if offered["p"] == "cover":
        words = _must_expire(takes)
    elif offered["p"] == "switch":
        words = [word for word in takes.get("words", []) if word not in SWITCHED]
    for word in words:
        name = word if head["name"] == SET else f"{head['name']} {word}"
        yield word, button({**head, "name": label(name)}, word)


def _must_expire(takes: Facts) -> list[str]:
    """Return the words that are refused without an expiry."""
    return takes.get("once") or (takes.get("words", []) if takes.get("expires") else [])


def label(name: str) -> str:
    """Return a name for people to read: `cpu_temperature` becomes `Cpu temperature`."""
    words = name.replace("_", " ").replace("-", " ").strip() or name
    return words[0].upper() + words[1:]


def icon(facts: Facts) -> Component:
    """Return the icon that the device declares for a measure, if it declares one."""
    declared = facts.get("shown_as", "")
    return {"ic": declared} if declared.startswith(ICON) else {}


def unit(name: str) -> Component:
    """Return a unit as Home Assistant is told of it: nothing for `1`."""
    return {} if name == "1" else {"unit_of_meas": name}


def _lock(head: Component) -> Component:
    """Return a lock. It represents the device itself, as a cover, a valve and a fan do."""
    words = {
        "pl_lock": "lock",
        "pl_unlk": "unlock",
        "stat_locked": "locked",
        "stat_locking": "locking",
        "stat_unlocked": "unlocked",
        "stat_unlocking": "unlocking",
        "stat_jam": "jammed",
    }
    return {"p": "lock", **head, "name": None, **words, "val_tpl": LOCK, "cmd_tpl": UNLOCKER}


def _cover(head: Component, takes: Facts, shown: Facts, position: str | None) -> Component:
    """Return a cover that offers what is allowed: `close` need not be.

    Home Assistant sends a cover's words as they are, without an expiry. Those that need one are left to buttons, and to
    the position, which is sent as a template says.
    """
    words, late = takes.get("words", []), _must_expire(takes)
    sent = [word if word in words and word not in late else None for word in ("open", "close", "stop")]
    found = {"p": "cover", **head, "name": None, "val_tpl": COVER, **_one_of(COVERS, shown)}
    found |= dict(zip(("pl_open", "pl_cls", "pl_stop"), sent, strict=True))
    if not any(sent):
        found.pop("cmd_t")
    if position:
        found |= {"pos_t": position, "pos_tpl": POSITION}
    if takes.get("high") == ALL and position:
        found |= {"set_pos_t": head["cmd_t"], "set_pos_tpl": PLACE}
    elif late and {"open", "close"} <= {*words}:
        found = {"pos_t": head["stat_t"], "pos_tpl": ENDS, **found, "set_pos_t": head["cmd_t"], "set_pos_tpl": END}
    return found


def _valve(head: Component, takes: Facts, shown: Facts) -> Component:
    words = takes.get("words", [])
    truth = shown["unit"] == "bool"
    states = {"stat_open": "true", "stat_clsd": "false"} if truth else {}
    found = {"p": "valve", **head, "name": None, **states, "val_tpl": STATE, **_one_of(VALVES, shown)}
    found |= {"pl_open": _known("open", words), "pl_cls": _known("close", words)}
    return {**found, **({"pl_stop": "stop"} if "stop" in words else {}), "cmd_tpl": COMMAND}


def _fan(head: Component, takes: Facts, mode: str | None) -> Component:
    """Return a fan. Home Assistant counts its speeds from 1, and has its other words as presets."""
    found = {"p": "fan", **head, "name": None, "pl_on": "on", "pl_off": "off", "stat_val_tpl": LIT, "cmd_tpl": COMMAND}
    if "high" in takes:
        step = takes.get("step", SPEED_STEP)
        topics = {"pct_cmd_t": head["cmd_t"], "pct_stat_t": head["stat_t"]}
        templates = {"pct_cmd_tpl": SPEED % step, "pct_val_tpl": SPEEDS % step}
        found |= {**topics, **templates, "spd_rng_max": round(takes["high"] / step)}
    if presets := [word for word in takes.get("words", []) if word not in ("on", "off")]:
        found |= {"pr_mode_cmd_t": head["cmd_t"], "pr_mode_cmd_tpl": COMMAND, "pr_modes": presets}
        found |= {"pr_mode_stat_t": mode, "pr_mode_val_tpl": MODE} if mode else {}
    return found


def _known(word: str, words: list[str]) -> str | None:
    return word if word in words else None


def _one_of(classes: frozenset[str], facts: Facts) -> Component:
    """Return the device class that is declared for a measure, if it is one of these; or its icon."""
    declared = facts.get("shown_as", "")
    return {"dev_cla": declared} if declared in classes else icon(facts)


def _switch(head: Component, sets: str | None, *, assumed: bool) -> Component:
    """Return a switch. If its measure is called `on`, it has no name, so that it represents the device itself.

    Of one that is `assumed` to be on, both buttons are shown.
    """
    name = {"name": None} if sets == "on" else {}
    state = {"stat_on": "true", "stat_off": "false"} if sets else {}
    both = {"opt": True} if assumed else {}
    return {"p": "switch", **head, **name, "pl_on": "on", "pl_off": "off", **state, **both, "cmd_tpl": COMMAND}


def _light(head: Component, high: float, step: float) -> Component:
    """Return a light. If its action is called `set`, it represents the device itself."""
    name = {"name": None} if head["name"] == SET else {}
    state = {"stat_tpl": LIT, "bri_tpl": BRIGHTNESS % high} if "stat_t" in head else {}
    turns = {"cmd_on_tpl": DIM % (high / step, step) + BEFORE, "cmd_off_tpl": TURN_OFF}
    return {"p": "light", **head, **name, "schema": "template", **turns, **state}


def _slider(head: Component, takes: Facts) -> Component:
    limits = {"min": takes["low"], "max": takes["high"], "step": max(FINEST, takes.get("step", FINEST))}
    return {"p": "number", **head, **limits, **unit(takes["unit"]), "cmd_tpl": COMMAND}
