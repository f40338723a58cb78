"""A program of one's own."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from bootstrap import Host, Program
from bootstrap.answers.answering_device import AnsweringDevice
from bootstrap.answers.program_run import ProgramRun
from bootstrap.proof import REAL_SYSTEM

SHUT_OUT = re.compile(r"not permitted|denied|not there|resol|connect|unreachable", re.IGNORECASE)


@dataclass(kw_only=True)
class Command(AnsweringDevice):
    """A program or script that prints what it measures, and is run for each reading, without a shell.

    Wiring: none. If it has not ended in time, it is killed, with all that it has started. In a unit it reaches of the
    network what `hosts` names, and neither /home nor a device: docs/CONFIGURATION.md, "Values of programs".
    """

    program: Program  # its name or full path, such as /usr/local/bin/heating
    arguments: list[str] | None = None  # of the program, such as ["--json"]; everybody on the machine can see them
    hosts: list[Host] | None = None  # that it connects to, such as ["192.168.1.20"]: else its unit lets it reach none
    output: Literal["json", "lines"] = "json"  # what it prints: JSON, as a number alone is, or lines such as power=2.5

    parts: ClassVar = {"script": REAL_SYSTEM, "program": REAL_SYSTEM}
    source = "what it prints"

    def setup(self) -> None:
        """Prepare to run it."""
        self.form = self.output  # type: ignore[misc]
        self.program_run = ProgramRun([self.program, *(self.arguments or ())], self.limit_s)

    def answer(self) -> tuple[str, float]:
        """Return what the program prints."""
        try:
            return self.program_run.timed_output()
        except OSError as error:
            if SHUT_OUT.search(str(error)):
                raise OSError(
                    f"{error.strerror or error}; in its unit it reaches 'hosts' alone, no files in /home, and no device"
                ) from None
            raise

    def teardown(self) -> None:
        """Kill the program, if it runs."""
        self.program_run.end()
