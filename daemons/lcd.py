"""A display."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.display.showing_device import ShowingDevice
from bootstrap.proof import WRITTEN_BUS


@dataclass(kw_only=True)
class Lcd(ShowingDevice):
    """A display that shows what others measure: an HD44780 of 16x2 or 20x4, or an OLED of 128x64 or 128x32.

    Wiring: SDA to GPIO2, SCL to GPIO3, GND to GND, VCC to 3V3. An HD44780 wants 5V: then remove the two pull-ups on its
    board, or use a level shifter, because the Pi's pins bear 3.3 V. Turn the screw on its back until you can read it.
    """

    parts: ClassVar = dict.fromkeys(
        ("HD44780", "LCD1602", "LCD2004", "PCF8574", "PCF8574A", "SSD1306", "SH1106"), WRITTEN_BUS
    )
    shown_as: ClassVar = {"shown": "mdi:monitor", "page": "mdi:page-next"}
