"""The base class of devices that may restart this machine, or shut it down, if their owner allows it."""

from dataclasses import dataclass, replace

from bootstrap.contract.payload import Json
from bootstrap.device import Device, takes, this_host
from bootstrap.machine.power import WORDS, request
from bootstrap.needs import PowerAction


@dataclass(kw_only=True)
class PoweredDevice(Device):
    """A device that has the actions `reboot` and `shutdown`, each only if it is allowed."""

    allow: list[PowerAction] | None = None  # commands to this machine that are allowed, such as ["reboot", "shutdown"]

    def __post_init__(self) -> None:
        """Have those commands alone that are allowed."""
        unwanted = {*WORDS} - {*(self.allow or ())}
        self.commands = {  # type: ignore[misc]
            name: replace(taken, words=(this_host(),)) if name in WORDS else taken
            for name, taken in type(self).commands.items()
            if name not in unwanted
        }

    @takes(expires=True)
    def act_reboot(self, value: Json) -> None:
        """Restart this machine. The value is its name, so that no other one is meant."""
        request("reboot", value)

    @takes(expires=True)
    def act_shutdown(self, value: Json) -> None:
        """Shut this machine down; somebody has to be there to start it again. The value is its name."""
        request("shutdown", value)
