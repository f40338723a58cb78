"""What stands for a digital input or output of mqtt-io."""

from penates.datasheet import toml
from penates.mqtt_io.counterparts import Settings
from penates.mqtt_io.yaml_lines import Entry

Remarks = list[tuple[int, str]]
Converted = tuple[str, str, Settings, Remarks]  # kind, measure, settings in TOML, remarks

DOORS = ("door", "garage_door", "opening", "window")
MOVING = ("motion", "occupancy")
KINDS = {**dict.fromkeys(DOORS, ("door", "open")), **dict.fromkeys(MOVING, ("motion", "motion"))}
EXPANDERS = ("interrupt_for", "poll_when_interrupt_for")
ON, OFF = "ON", "OFF"


def watched(one: Entry) -> Converted:
    """Convert a digital input. A door's contact is open, and a motion sensor's output says motion, at a high level."""
    remarks: Remarks = []
    settings = _pin(one)
    inverted, pulled_down = one.take("inverted", False), one.take("pulldown", False)
    device_class = one.entry("ha_discovery").text("device_class")
    kind, measure = KINDS.get(device_class, ("contact", device_class.replace("-", "_") or "contact"))
    if inverted and kind != "contact":
        kind = "contact"
    if kind == "contact":
        settings |= {"true_when": toml("closed" if inverted else "open")}
        settings |= {"measure": toml(measure)} if measure != "contact" else {}
        settings |= {"device_class": toml(device_class)} if device_class else {}
    if one.has("bouncetime"):
        bounce_s = one.take("bouncetime", 100) / 1000
        if kind == "motion":
            remarks.append((one.line_of("bouncetime"), "bouncetime: a motion sensor holds its output; see hold_s"))
        else:
            settings["bounce_s"] = toml(bounce_s)
    if pulled_down and kind != "motion":
        text = "pulldown: lines are pulled up here: wire the contact between the line and GND, and look at what it says"
        remarks.append((one.line_of("pulldown"), text))
    _edges(one, remarks)
    _words(one, remarks)
    one.ignore("pullup", "poll_interval")
    return kind, measure, settings, remarks


def _edges(one: Entry, remarks: Remarks) -> None:
    if (edge := one.text("interrupt")) in ("rising", "falling"):
        remarks.append((one.line_of("interrupt"), f"interrupt {edge}: both changes are reported"))
    for key in EXPANDERS:
        if one.has(key):
            one.ignore(key)
            remarks.append((one.line_of(key), f"{key}: no counterpart: it belongs to an expander"))


def _words(one: Entry, remarks: Remarks) -> None:
    on, off = one.text("on_payload") or ON, one.text("off_payload") or OFF
    if (on, off) != (ON, OFF):
        remarks.append((one.line_of("on_payload"), f"payloads {on} and {off}: its value is true or false"))


def switched(one: Entry) -> Converted:
    """Convert a digital output. `initial` is a level in mqtt-io, and a state here."""
    remarks: Remarks = []
    inverted = one.take("inverted", False)
    settings = _pin(one) | ({"active_high": "false"} if inverted else {})
    initial = one.text("initial")
    _words(one, remarks)
    one.ignore("publish_initial")
    if one.has("timed_set_ms"):
        pulse = one.take("timed_set_ms", 500)
        return "relay", "pressed", {**settings, "pulse_s": toml(pulse / 1000)}, remarks
    if ((initial or "low") == "high") != inverted:
        line = one.line_of("initial" if initial else "inverted")
        text = "mqtt-io switches it on when it starts; here it is off at the start and at the end, unless safe = true"
        remarks.append((line, text))
    return "output", "on", settings, remarks


def _pin(one: Entry) -> Settings:
    pin = one.text("pin")
    return {"pin": pin if pin.isdecimal() else toml(pin)}
