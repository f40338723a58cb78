"""A program of one's own."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bootstrap import Program
from bootstrap.answers.answering_device import AnsweringDevice
from bootstrap.answers.program_run import ProgramRun
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Command(AnsweringDevice):
    """A program or script that prints what it measures, and is run for each reading, without a shell.

    Wiring: none. If it has not ended in time, it is killed, with all that it has started.
    """

    program: Program  # its name or full path, such as /usr/local/bin/heating
    arguments: list[str] | None = None  # of the program, such as ["--json"]; everybody on the machine can see them
    output: Literal["json", "lines"] = "json"  # what it prints: JSON, as a number alone is, or lines such as power=2.5

    parts: ClassVar = {"script": REAL_SYSTEM, "program": REAL_SYSTEM}
    source = "what it prints"

    def setup(self) -> None:
        """Prepare to run it."""
        self.form = self.output  # type: ignore[misc]
        self.program_run = ProgramRun([self.program, *(self.arguments or ())], self.limit_s)

    def answer(self) -> tuple[str, float]:
        """Return what the program prints."""
        return self.program_run.timed_output()

    def teardown(self) -> None:
        """Kill the program, if it runs."""
        self.program_run.end()
