"""A service of this machine."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Device, Measure, Program, Reading
from bootstrap.machine.systemd_unit import STATES, SystemdUnit, a_unit
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Service(Device):
    """A service of this machine, or another unit of systemd, such as a timer or a mount.

    Wiring: none.
    """

    unit: Annotated[str, a_unit]  # its name, such as "mosquitto.service"
    systemctl: Program = "systemctl"  # the program that asks systemd

    parts: ClassVar = {"systemd": REAL_SYSTEM}
    blocks = True

    state = Measure(str, words=STATES)
    running = Measure(bool)
    detail = Measure(str)  # as systemd says it of this sort of unit, such as running, exited or mounted
    result = Measure(str)  # of its last run, such as success, exit-code or oom-kill
    restarts = Measure("1", low=0, counter=True)  # of a service that systemd has started again by itself

    def setup(self) -> None:
        """Prepare to ask."""
        self.asked = SystemdUnit(self.systemctl, self.unit)

    def read(self) -> Reading:
        """Return how the unit is. That it has failed is a value, and no fault of ours."""
        return self.asked.state()

    def teardown(self) -> None:
        """Ask no more."""
        self.asked.end()
