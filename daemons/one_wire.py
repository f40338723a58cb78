"""A 1-Wire bus with many thermometers."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.one_wire.probe_gateway import ProbeGateway
from bootstrap.one_wire.probe_rounds import WAYS
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class OneWire(ProbeGateway):
    """A 1-Wire bus with many DS18B20 probes, which are converted all at once, in 0.75 s.

    Wiring: red to 3V3, black to GND, yellow to GPIO 4, and once for all probes 4.7 kohm from yellow to red.
    """

    # Whoever asks for a DS18B20 gets the kind of a single one, `thermometer`.
    parts: ClassVar = dict.fromkeys(("DS18S20", "DS1822", "DS1825", "DS28EA00"), DRIVER_NOT_RUN)

    probes = Measure("1", low=0)  # that answer, adopted or not
    conversion = Measure(str, words=WAYS)  # all at once (bulk), or each by itself, which takes 0.8 s each
