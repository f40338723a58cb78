"""A microcontroller that writes lines to a serial port, and what it writes about."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Gateway, Measure, Reading, Seconds, Serial, SerialPort
from bootstrap.proof import WRITTEN_LINES
from bootstrap.serial_lines.line_sensor import LineSensor
from bootstrap.serial_lines.listener import LineListener, measures_of
from bootstrap.serial_lines.pattern import LinePattern


@dataclass(kw_only=True)
class Lines(Gateway):
    """A microcontroller, such as an Arduino, that writes lines. It carries the sensors and remotes they are about.

    Wiring: plug it into USB; or its TX to the Pi's RX by a level shifter (the Pi's pins bear 3.3 V), GND to GND.
    """

    parts: ClassVar = {"Arduino": WRITTEN_LINES, "ESP8266": WRITTEN_LINES, "ESP32": WRITTEN_LINES}

    port: SerialPort  # such as "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
    baud: int = 9600  # speed in bits per second
    mode: str = "8N1"  # data bits, parity and stop bits
    patterns: list[LinePattern]  # of the lines, such as ["TEMP,{id},{temperature}", "HYGR,{id},{humidity}"]
    repeat_s: Seconds = 0.5  # time in seconds within which an equal line is a repeat, such as of a remote's button

    adopts: ClassVar = LineSensor

    matched = Measure("1", counter=True)  # lines of a pattern, without repeats
    unmatched = Measure("1", counter=True)  # other lines

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        self.source = Serial(self.port, self.baud, self.mode)
        measures_of(self.patterns)

    def setup(self) -> None:
        """Listen."""
        self.listener = LineListener(self, self.source, self.patterns, self.repeat_s)

    def read(self) -> Reading:
        """Return how many lines there were; fail while there can be none."""
        return self.listener.reading()
