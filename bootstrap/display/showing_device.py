"""The base class of displays: what they show of others, when, and how it gets there."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Annotated, ClassVar, Literal, NamedTuple

from bootstrap.contract.commands import only, seconds
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, Seconds, takes
from bootstrap.display.alert_rule import AlertRule
from bootstrap.display.alerts import ActiveAlert, Alerts
from bootstrap.display.bus_port import bus_port
from bootstrap.display.carousel import Carousel
from bootstrap.display.character_panel import CharacterPanel
from bootstrap.display.graphic_panel import GraphicPanel
from bootstrap.display.heard_values import HeardValues
from bootstrap.display.lit_time import LitTime
from bootstrap.display.panel import Panel
from bootstrap.display.template import DisplayText
from bootstrap.errors import Refused
from bootstrap.limits import Limits
from bootstrap.needs import HEADERS_BUS, I2CAddress, I2CBus, Input, bus_of
from bootstrap.pins.edge import Edge

TURN, DRAW, DUE, SPAN, PRESSED, OVER, BACK = "turn", "draw", "due", "span", "pressed", "over", "back"  # timers
GAP_S = 0.2  # least time between two changes, so that many values at once are one
BOUNCE_S = 0.05
ALERT_TURN_S = 5.0  # how long each of several alerts is shown where pages do not turn by themselves
ON, OFF, AUTO = "on", "off", "auto"
MOST_PAGES = 99
LONGEST_ALERT = 200  # characters


class Screen(NamedTuple):
    """What is to be shown."""

    lines: tuple[str, ...]
    page: int
    alert: bool
    lit: bool

    @property
    def reading(self) -> Reading:
        """The screen as it is published."""
        return {"shown": "\n".join(self.lines), "page": self.page, "alert": self.alert, "light": self.lit}


@dataclass(kw_only=True)
class ShowingDevice(Device):
    """A display of lines of text on an I2C bus. Others read what it shows in `data/shown`.

    Only what has changed is written. Every `every_s` seconds it is set up and written as a whole, without flicker: so
    it shows everything again after it was unplugged, or has confused half a byte over a glitch in its power.
    """

    driver: Literal["hd44780", "ssd1306", "sh1106"] = "hd44780"  # its chip; an HD44780 sits behind a PCF8574
    size: Literal["16x2", "20x4", "128x64", "128x32"] = "16x2"  # characters; of ssd1306 and sh1106 dots
    bus: I2CBus = HEADERS_BUS
    address: I2CAddress  # on the bus, such as 0x27 (PCF8574A: 0x3F; ssd1306 and sh1106: 0x3C)
    rom: Literal["A00", "A02"] = "A00"  # which characters an HD44780 has; A02 is the European one, with Ä and é
    scale: Annotated[int, Limits(1, 4)] = 1  # how many dots of a graphic display are one dot of a character
    # Texts of pages, such as ["Cellar {home/cellar/temperature:.1f}°C\n{home/cellar!age} ago"]; \n ends a line.
    pages: list[DisplayText]
    page_s: Seconds = 10.0  # seconds for each page; 0 to turn them only by hand
    hold_s: Seconds = 60.0  # seconds for a page that was chosen
    # What comes before all pages, such as ["home/cellar/leak is true: Water in the cellar"].
    alerts: list[AlertRule] | None = None
    alert_s: Seconds = 60.0  # seconds for an alert that a command tells without `for_s`
    button: Input | None = None  # a button to GND, such as 21: the next page; in the dark, light
    lit: LitTime | None = None  # when it is lit, such as "07:00-22:30"; without it always
    light_s: Seconds = 30.0  # seconds of light after the button was pressed
    silent_s: Seconds = 0.0  # seconds after which a topic that is no sensor's of penates counts as old; 0 for never

    blocks: ClassVar[bool] = True

    shown = Measure(str)  # its lines
    page = Measure("1", low=1)
    alert = Measure(bool)
    light = Measure(bool)

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        graphic = self.driver != "hd44780"
        fitting = ("128x64", "128x32") if graphic else ("16x2", "20x4")
        if self.size not in fitting:
            raise ValueError(f"'size' of {self.driver} must be {' or '.join(fitting)}, not {self.size}")
        if len(self.pages) > MOST_PAGES:
            raise ValueError(f"'pages' must be at most {MOST_PAGES}")
        if 0 < self.page_s < GAP_S:
            raise ValueError(f"'page_s' must be 0, or at least {GAP_S:g}")
        if graphic and self.rom != "A00":
            raise ValueError(f"'rom' is of hd44780; {self.driver} has all characters that can be drawn")
        if not graphic and self.scale != 1:
            raise ValueError(f"'scale' is of ssd1306 and sh1106; the characters of {self.driver} have one size")
        self.panel = self._panel()

    def _panel(self) -> Panel:
        width, height = map(int, self.size.split("x"))
        if self.driver == "hd44780":
            return CharacterPanel(self.address, width, height, self.rom)
        return GraphicPanel(self.driver, self.address, width, height, self.scale)

    def facts(self) -> Mapping[str, Json]:
        """Return what draws a picture of it."""
        size = {"columns": self.panel.columns, "rows": self.panel.rows}
        return {"display": {"driver": self.driver, "size": self.size, "scale": self.scale, **size}}

    def setup(self) -> None:
        """Listen, and watch the button. The display may be absent: then the state is `fault` until it is there."""
        self._node = bus_of(self)
        self._shown: Screen | None = None  # what the display shows, as far as is known; the worker thread sets it
        self._asked = False
        self._told: tuple[bool, bool] | None = None  # whether an alert and light were on when they were last reported
        self.command = self.keep("light", AUTO)
        self._meanwhile = ""  # what a command said of the light for a while, which no restart outlives
        self.carousel = Carousel(len(self.pages))
        self.values = HeardValues(self, self._redraw, self.silent_s or None)
        rules = self.alerts or []
        self.told = Alerts(rules, self.values, self.panel.columns)
        texts = [*self.pages, *(rule.shown for rule in rules)]
        self.values.follow([*(one for text in texts for one in text.fields), *(rule.field for rule in rules)])
        if self.button is not None:
            from gpiozero import DigitalInputDevice  # noqa: PLC0415 - few displays have a button

            self.watch(DigitalInputDevice(self.button, pull_up=True, bounce_time=BOUNCE_S))
        self._wanted = self._compose()

    # What it shows.

    def _compose(self) -> Screen:
        """Return what is to be shown now, and set the timers of what changes it."""
        alerts = self.told.active()
        if self.carousel.set_alerts([one.name for one in alerts]):
            self.cancel(TURN)
        self._set_timers(alerts)
        lit = self._is_lit(alert=bool(alerts))
        return Screen((*self._fitted(alerts),), self.carousel.page + 1, bool(alerts), lit)

    def _fitted(self, alerts: Sequence[ActiveAlert]) -> Sequence[str]:
        """Return the lines of the alert, or else the page, that is to be shown."""
        at = self.carousel.alert
        lines = alerts[at].lines if at is not None and at < len(alerts) else self.pages[self.carousel.page].lines
        return self.panel.fitted([self.values.written(line) for line in lines])

    def _set_timers(self, alerts: list[ActiveAlert]) -> None:
        """See to it that it is drawn again when something changes by itself."""
        turn_s = self.page_s or (ALERT_TURN_S if alerts else 0)
        if self.carousel.turns and turn_s and not self.waits_for(TURN):
            self.after(turn_s, self._turn, TURN)
        at = self.carousel.alert
        fields = self.pages[self.carousel.page].fields if at is None else alerts[at].fields
        self._draw_in(self.values.due_s(fields), DUE)
        self._draw_in(self.told.due_s(), OVER)
        if self.lit:
            now = datetime.now()  # noqa: DTZ005 - its owner sets local times
            self._draw_in((self.lit.next_change(now) - now).total_seconds(), SPAN)

    def _draw_in(self, seconds: float | None, name: str) -> None:
        if seconds is None or not isfinite(seconds):
            self.cancel(name)
        else:
            self.after(seconds, self._redraw, name)

    def _is_lit(self, *, alert: bool) -> bool:
        """Return whether it is to be lit: by an alert, the button, a command, or the time of day."""
        if alert or self.waits_for(PRESSED):
            return True
        word = self._meanwhile or self.command.value
        if word != AUTO:
            return word == ON
        return self.lit is None or self.lit.covers(datetime.now())  # noqa: DTZ005 - as above

    def _turn(self) -> None:
        self.carousel.step()
        self._redraw()

    def _redraw(self) -> None:
        """Write what has changed, unless something is being written; while the display is absent, `read` does it."""
        self._wanted = self._compose()
        if self._shown is not None and self._wanted != self._shown and not (self._asked or self.waits_for(DRAW)):
            self._asked = True
            self.ask(self._write_changes, self._written, self._failed, self._node)

    def _write_changes(self) -> Screen:
        return self._write(anew=False)

    def _write(self, *, anew: bool) -> Screen:
        """Write what is wanted now; it is called in a worker thread."""
        wanted, self._shown = self._wanted, None
        with bus_port(self.bus) as port:
            self.panel.show(port, wanted.lines, lit=wanted.lit, anew=anew)
        self._shown = wanted
        return wanted

    def _written(self, screen: Screen) -> Reading | None:
        """Report an alert, or light, that begins or ends; a page that was turned is only shown."""
        self._asked = False
        if self._wanted != screen:
            self.after(GAP_S, self._redraw, DRAW)
        told, self._told = self._told, (screen.alert, screen.lit)
        if self._told != told:
            return screen.reading
        self.context.show(screen.reading)
        return None

    def _failed(self, error: OSError | ValueError) -> Reading:
        self._asked = False
        raise error

    def read(self) -> Reading:
        """Set the display up, and write everything. OSError: it is absent."""
        return self._write(anew=True).reading

    def complete(self, reading: Reading) -> Reading:
        """Write what has changed meanwhile."""
        self._told = (bool(reading["alert"]), bool(reading["light"]))
        self._redraw()
        return reading

    def teardown(self) -> None:
        """Mark what stays on the glass: nobody will bring it up to date.

        The bus is not locked, because whoever has it may keep a stop waiting: each message is whole without it.
        """
        if (shown := getattr(self, "_shown", None)) is not None:
            self.values.end()
            with suppress(OSError), bus_port(self.bus) as port:
                self.panel.show(port, self._fitted(self.told.active()), lit=shown.lit, anew=False)

    # What people do.

    def on_edge(self, edge: Edge) -> Reading | None:
        """Turn the page when the button is pressed; in the dark, only switch on the light."""
        if edge.active:
            was_lit = self._wanted.lit
            self.after(self.light_s, self._redraw, PRESSED)
            if was_lit:
                self._step(1)
            self._redraw()
        return None

    def _step(self, by: int) -> None:
        self.carousel.step(by)
        self._hold()

    def _hold(self) -> None:
        if self.page_s:
            self.after(self.hold_s, self._turn, TURN)

    @takes("next", "previous", sets="page", low=1, high=MOST_PAGES, step=1)
    def act_page(self, value: Json) -> None:
        """Show the page of this number, `next` or `previous`, for `hold_s` seconds."""
        if isinstance(value, str):
            self._step(1 if value == "next" else -1)
        elif isinstance(value, int | float) and value <= len(self.pages):
            self.carousel.choose(round(value) - 1)
            self._hold()
        else:
            raise Refused(f"there are {len(self.pages)} pages")
        self._redraw()

    @takes(keys=("text", "for_s"))
    def act_alert(self, value: Json) -> None:
        """Show this text before all pages, or `{"text": "…", "for_s": 600}`; `off` ends those that were told."""
        for_s = seconds(value.pop("for_s", None)) if isinstance(value, dict) else None
        text = only(value, "text").strip()
        if not text or len(text) > LONGEST_ALERT:
            raise Refused(f"send the text, of at most {LONGEST_ALERT} characters, or {OFF}")
        if text == OFF:
            self.told.clear()
        else:
            self.told.tell(text, for_s or self.alert_s)
        self._redraw()

    @takes(ON, OFF, AUTO, sets="light", keys=("state", "for_s"))
    def act_light(self, value: Json) -> None:
        """Switch the light `on`, `off`, or `auto` to its hours; `{"state": "on", "for_s": 60}` for a while."""
        for_s = seconds(value.pop("for_s", None)) if isinstance(value, dict) else None
        word = only(value, "state")
        self.cancel(BACK)
        self.cancel(PRESSED)
        if for_s:
            self._meanwhile = word
            self.after(for_s, self._back, BACK)
        else:
            self._meanwhile, self.command.value = "", word
        self._redraw()

    def _back(self) -> None:
        self._meanwhile = ""
        self._redraw()
