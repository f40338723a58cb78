"""A radio receiver, and what it hears."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import DebianPackage, Gateway, Json, Limits, Measure, Program, Reading, only, seconds, takes
from bootstrap.proof import DRIVEN_LINES, WRITTEN_RADIO
from bootstrap.radio.decoding import SEARCH_S
from bootstrap.radio.ignoring import Rule
from bootstrap.radio.receiver import FIRST_STICK, Gain, Option, RadioInput, Receiver
from bootstrap.radio.reception import Reception
from bootstrap.radio.station import RadioSensor


@dataclass(kw_only=True)
class Radio(Gateway):
    """A radio receiver, such as an RTL-SDR stick. It carries the weather stations, thermometers and remotes it hears.

    Wiring: plug the stick into USB, on a short cable away from the Pi, and give it its aerial.
    """

    parts: ClassVar = {
        **dict.fromkeys(("RTL-SDR", "RTL2832U", "AlectoV1", "Nexus-TH", "TFA 30.3209"), WRITTEN_RADIO),
        **dict.fromkeys(("RXB6", "SRX882"), DRIVEN_LINES),
    }

    input: RadioInput = FIRST_STICK  # the stick's number or ":SERIAL", "rtl_tcp:HOST:PORT", "driver=…", or a file
    frequency_mhz: Annotated[float, Limits(0.1, 6000)] = 433.92  # to listen at; a second band wants a second stick
    gain: Gain = "auto"  # in dB, such as "28"
    decoders: list[int] | None = None  # numbers of `rtl_433 -R help` that are on in any case, such as [23]
    ignore: list[Rule] | None = None  # whom not to list: model, id, channel, such as ["Nexus-TH * 2"]
    options: list[Option] | None = None  # more of rtl_433's own, such as ["-s", "1000k"]
    program: Annotated[Program, DebianPackage("rtl-433")] = "rtl_433"

    adopts: ClassVar = RadioSensor

    heard = Measure("1", counter=True)  # transmissions of everybody, without their repeats
    searching = Measure(bool)

    def setup(self) -> None:
        """Listen."""
        receiver = Receiver(self.program, self.input, self.frequency_mhz, self.gain, self.options or [])
        self.reception = Reception(self, receiver, self.decoders or [], self.ignore or [])

    @takes("on", "off", sets="searching", keys=("state", "for_s"))
    def act_search(self, value: Json) -> Reading:
        """Hear all that can be decoded, for 15 minutes or for `{"state": "on", "for_s": 60}`; `off` ends it."""
        for_s = seconds(value.pop("for_s", SEARCH_S)) if isinstance(value, dict) else SEARCH_S
        return self.reception.search(for_s if only(value, "state") == "on" else None)

    def progress(self) -> Mapping[str, float | None]:
        """Return what was counted of the edges on a pin."""
        return self.reception.counted

    def read(self) -> Reading:
        """Return how much was heard; fail while nothing can be."""
        return self.reception.reading()
