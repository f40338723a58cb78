"""What an announced entity becomes, by its platform: lines of an adapter's section, for its values and its commands."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from bootstrap.adapter.profile_lines import WireCommand, WireValue
from penates.fleet.announced_entity import MARKS, AnnouncedEntity

Lines: TypeAlias = tuple[list[str], list[str]]  # of values, and of commands
SCALE = 255  # of a light's brightness, where its announcement does not say
BRIGHTNESS = "brightness"
COVER = {"open": "open", "closed": "closed", "opening": "opening", "closing": "closing", "stopped": "stopped"}


def lines_of(entity: AnnouncedEntity, name: str) -> tuple[Mapping[str, str], list[str]]:
    """Return the lines of an entity's values, by the names of the measures, and those of its commands.

    `name` is what the measure, or the first of several, is to be called.

    Raises:
        ValueError: it cannot be said in lines, and why.
    """
    if entity.platform not in MAKERS:
        raise ValueError(f"a {entity.platform}")
    values, tells = MAKERS[entity.platform](entity, name)
    for line in tells:
        WireCommand(line)
    return {WireValue(line).name: line for line in values}, tells


def _action(verb: str, name: str, usual: str) -> str:
    """Return the name of an action: the verb alone for the measure that is called as usual."""
    return verb if name == usual else f"{verb}_{name}"


def _sensor(entity: AnnouncedEntity, name: str) -> Lines:
    unit = entity.says.get("unit_of_measurement")
    form = str(unit) if unit else "1" if entity.says.get("state_class") else "text"
    return [entity.value_at(name, "state_topic", "value_template", form)], []


def _binary_sensor(entity: AnnouncedEntity, name: str) -> Lines:
    return [entity.value_at(name, "state_topic", "value_template", entity.words())], []


def _switch(entity: AnnouncedEntity, name: str) -> Lines:
    values, _ = _binary_sensor(entity, name)
    if "command_topic" not in entity.says:
        return values, []
    return values, [entity.command_at(_action("set", name, "on"), name, "command_topic", entity.turns())]


def _light(entity: AnnouncedEntity, name: str) -> Lines:
    bright = BRIGHTNESS if name == "on" else f"{name}_{BRIGHTNESS}"
    turn, dim = _action("set", name, "on"), _action("dim", name, "on")
    form = f"100/{entity.number('brightness_scale', SCALE):g} % 0..100"
    match entity.says.get("schema", "basic"):
        case "json":
            return _json_light(entity, (name, turn), (bright, dim), form)
        case "basic":
            values = [entity.value_at(name, "state_topic", "state_value_template", entity.words())]
            tells = [entity.command_at(turn, name, "command_topic", entity.turns())]
            if "brightness_state_topic" in entity.says:
                values.append(entity.value_at(bright, "brightness_state_topic", "brightness_value_template", form))
                tells.append(entity.command_at(dim, bright, "brightness_command_topic", ""))
            return values, tells
        case other:
            raise ValueError(f"a light of the schema {other}")


def _json_light(entity: AnnouncedEntity, on: tuple[str, str], bright: tuple[str, str], form: str) -> Lines:
    """Return the lines of a light whose state and commands are JSON objects."""
    state, told = entity.topic("state_topic"), entity.topic("command_topic")
    values = [f"{on[0]} = {state}: state ON=true|OFF=false"]
    tells = [f'{on[1]} {on[0]} = {told}: on=ON|off=OFF as {{"state": "{{}}"}}']
    if entity.says.get("brightness") or {"brightness"} & {*_modes(entity)}:
        values.append(f"{bright[0]} = {state}: brightness {form}")
        tells.append(f'{bright[1]} {bright[0]} = {told}: as {{"state": "ON", "brightness": {{}}}}')
    return values, tells


def _modes(entity: AnnouncedEntity) -> list[object]:
    modes = entity.says.get("supported_color_modes")
    return modes if isinstance(modes, list) else []


def _cover(entity: AnnouncedEntity, name: str) -> Lines:
    """Return the lines of a cover: of its position, or of its state if it knows no position."""
    if "position_topic" not in entity.says:
        return _cover_by_words(entity, "state" if name == "position" else name)
    if (entity.number("position_closed", 0), entity.number("position_open", 100)) != (0, 100):
        raise ValueError("a position that is not from 0 to 100")
    template = "position_template" if "position_template" in entity.says else "value_template"
    values = [entity.value_at(name, "position_topic", template, "% 0..100")]
    if "set_position_topic" not in entity.says:
        return values, []
    move = _action("move", name, "position")
    return values, [entity.command_at(move, name, "set_position_topic", "", "set_position_template")]


def _cover_by_words(entity: AnnouncedEntity, name: str) -> Lines:
    words = {entity.word(f"state_{usual}", usual): usual for usual in COVER}
    told = {"open": entity.word("payload_open", "OPEN"), "close": entity.word("payload_close", "CLOSE")}
    known = {told["open"]: "open", told["close"]: "closed", **words}
    form = "|".join(f"{word}={meant}" for word, meant in known.items())
    values = [entity.value_at(name, "state_topic", "value_template", form)]
    if "command_topic" not in entity.says:
        return values, []
    turns = "|".join(f"{word}={one}" for word, one in told.items())
    return values, [entity.command_at(_action("set", name, "state"), name, "command_topic", turns)]


def _number(entity: AnnouncedEntity, name: str) -> Lines:
    low, high = entity.number("min", 1), entity.number("max", 100)
    unit = entity.says.get("unit_of_measurement") or "1"
    values = [entity.value_at(name, "state_topic", "value_template", f"{unit} {low}..{high}")]
    return values, [entity.command_at(f"set_{name}", name, "command_topic", "")]


def _select(entity: AnnouncedEntity, name: str) -> Lines:
    options = entity.says.get("options")
    if not isinstance(options, list) or not options:
        raise ValueError("no options")
    if odd := next((one for one in options if not isinstance(one, str) or not one or MARKS.search(one)), None):
        raise ValueError(f"option {odd!r}")
    values = [entity.value_at(name, "state_topic", "value_template", "|".join(f"{one}={one}" for one in options))]
    words = "|".join(f"{one}={one}" for one in options)
    return values, [entity.command_at(f"set_{name}", name, "command_topic", words)]


def _button(entity: AnnouncedEntity, name: str) -> Lines:
    """Return the line of a button, which is pressed and shows nothing."""
    return [], [entity.command_at(name, "-", "command_topic", f"press={entity.word('payload_press', 'PRESS')}")]


def _event(entity: AnnouncedEntity, name: str) -> Lines:
    if entity.says.get("value_template"):
        raise ValueError(f"template {entity.says['value_template']}")
    return [f"{name} = {entity.topic('state_topic')}: event_type event text"], []


MAKERS: Mapping[str, Callable[[AnnouncedEntity, str], Lines]] = {
    "sensor": _sensor,
    "binary_sensor": _binary_sensor,
    "switch": _switch,
    "light": _light,
    "cover": _cover,
    "number": _number,
    "select": _select,
    "button": _button,
    "event": _event,
}
