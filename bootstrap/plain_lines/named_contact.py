"""A contact whose measure has the name, the words and the meaning that its owner gives it."""

from dataclasses import dataclass
from typing import Literal

from bootstrap.contact import Contact, TruthClass
from bootstrap.device import Measure, MeasureName, Reading


@dataclass(kw_only=True)
class NamedContact(Contact):
    """A contact between a GPIO line and GND, or a module that pulls its line low."""

    measure: MeasureName = "contact"  # what its values are called, such as "smoke"
    true_when: Literal["closed", "open"] = "closed"  # of a module: closed is low, and open is high
    words: list[str] | None = None  # in place of true and false, such as ["alarm", "quiet"]
    device_class: TruthClass | None = None  # in Home Assistant, such as "smoke", if it is true or false

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
