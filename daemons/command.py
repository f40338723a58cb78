"""A program of one's own."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from bootstrap import Device, Limits, Measure, Program, Reading
from bootstrap.answers.answer_value import FORMS, AnswerValue, measures_of, reading_of
from bootstrap.answers.program_run import ProgramRun
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Command(Device):
    """A program or script that prints what it measures, and is run for each reading, without a shell.

    Wiring: none.
    """

    program: Program  # its name or full path, such as /usr/local/bin/heating
    arguments: list[str] | None = None  # of the program, such as ["--json"]; everybody on the machine can see them
    output: Literal["json", "lines"] = "json"  # what it prints: JSON, as a number alone is, or lines such as power=2.5
    values: list[AnswerValue]  # as NAME = PATH UNIT, "." is all of it, such as ["flow = boiler.flow °C", "power = . W"]
    limit_s: Annotated[float, Limits(0.1, 25)] = 10.0  # seconds after which it is killed, with all that it has started

    parts: ClassVar = {"script": REAL_SYSTEM, "program": REAL_SYSTEM}
    blocks = True

    ran_for = Measure("s", low=0)

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        self.measures = measures_of(self.values, type(self).measures)  # type: ignore[misc]

    def setup(self) -> None:
        """Prepare to run it."""
        self.run = ProgramRun([self.program, *(self.arguments or ())], self.limit_s)

    def read(self) -> Reading:
        """Return the values, and how long the program has run."""
        text, seconds = self.run.timed_output()
        return {**reading_of(self.values, FORMS[self.output](text, self.program)), "ran_for": seconds}

    def teardown(self) -> None:
        """Kill the program, if it runs."""
        self.run.end()
