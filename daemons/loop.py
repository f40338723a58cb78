"""An alarm loop."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.alarm_loops.loop_sensor import LoopSensor
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class AlarmLoop(LoopSensor):
    """Alarm contacts with resistors at the far end of a line, at an input of a converter: a cut or a short shows, too.

    Wiring: 4.7 kohm from 3V3 to the converter's input; the line from there, and back to GND. At its far end 4.7 kohm in
    series with the alarm contact, which has another 4.7 kohm across it, and a tamper contact in series; both contacts
    open in an alarm. 10 kohm before the input and 100 nF from it to GND keep out what a long line picks up. The
    converter as for the kind adc; docs/CHIPS.md has other resistors, and a single one.
    """

    parts: ClassVar = dict.fromkeys(("EOL resistor", "DEOL", "alarm contact", "PIR detector"), DRIVER_NOT_RUN)
