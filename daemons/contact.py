"""Any contact, under a name of its owner's choice."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bootstrap import Contact, Measure, Reading
from bootstrap.contact import TruthClass
from bootstrap.device import MeasureName
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class AnyContact(Contact):
    """Any contact, or the digital output of a module; its owner says what it is called and what it means.

    Wiring: one leg to `pin`, the other to GND. A module instead: its DO or OUT to `pin`, VCC to 3V3, GND to GND.
    """

    measure: MeasureName = "contact"  # what its values are called, such as "smoke"
    true_when: Literal["closed", "open"] = "closed"  # of a module: closed is low, and open is high
    words: list[str] | None = None  # in place of true and false, such as ["alarm", "quiet"]
    device_class: TruthClass | None = None  # in Home Assistant, such as "smoke", if it is true or false

    parts: ClassVar = dict.fromkeys(("SW-420", "SW-18010P", "TTP223", "KY-036", "float switch"), DRIVEN_LINES)

    contact = Measure(bool)

    def __post_init__(self) -> None:
        """Check what no single setting tells, and measure what is set."""
        if self.words is not None and not (len(self.words) == len({*self.words}) == len(("true", "false"))):
            raise ValueError("'words' must be two different ones: for true, and for false")
        if self.words and self.device_class:
            raise ValueError("'device_class' is for true and false: leave it out, or leave out 'words'")
        self.measures = {self.measure: Measure(str, words=self.words) if self.words else Measure(bool)}  # type: ignore[misc]
        self.shown_as = {self.measure: self.device_class} if self.device_class else {}  # type: ignore[misc]

    def shows(self, *, closed: bool) -> Reading:
        """Report what the contact means."""
        true = closed == (self.true_when == "closed")
        return {self.measure: self.words[not true] if self.words else true}
