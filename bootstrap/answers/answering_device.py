"""The base class of devices whose values are in an answer: that of a web server, or of a program."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap.answers.answer_value import FORMS, AnswerValue, measures_of, reading_of
from bootstrap.device import Device, Measure, Reading
from bootstrap.limits import Limits


@dataclass(kw_only=True)
class AnsweringDevice(Device):
    """A device that answers with values. A subclass gets the answer, by `answer`, in a worker thread."""

    values: list[AnswerValue]  # as NAME = PATH UNIT, such as ["power = inverter.ac.power W", "on = state true|false"]
    limit_s: Annotated[float, Limits(0.1, 10)] = 5.0  # seconds in which all of the answer must be there

    blocks: ClassVar[bool] = True
    form: ClassVar[str] = "json"
    source: ClassVar[str] = "the answer"

    took = Measure("s", low=0)  # how long the answer took

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        self.measures = measures_of(self.values, type(self).measures)  # type: ignore[misc]

    def answer(self) -> tuple[str, float]:
        """Return the text of an answer, and the seconds that it took.

        Raises:
            OSError: there is none.
            ValueError: it is no text.
        """
        raise NotImplementedError

    def read(self) -> Reading:
        """Return the values, and how long the answer took."""
        text, seconds = self.answer()
        return {**reading_of(self.values, FORMS[self.form](text, self.source)), "took": seconds}
