"""The kinds of output, each with a bug, a hang and an end that can be asked for: copied beside house.toml."""

import os
import time
from dataclasses import dataclass

from bootstrap import Json
from bootstrap.device import Device
from daemons.buzzer import Buzzer as OurBuzzer
from daemons.cover import Cover as OurCover
from daemons.dimmer import Dimmer as OurDimmer
from daemons.fan import Fan as OurFan
from daemons.heater import Heater as OurHeater
from daemons.lock import DoorLock as OurDoorLock
from daemons.output import SwitchedOutput as OurSwitchedOutput
from daemons.relay import Relay as OurRelay
from daemons.servo import Servo as OurServo
from daemons.socket import SocketTransmitter as OurSocketTransmitter
from daemons.valve import Valve as OurValve


@dataclass(kw_only=True)
class Hurt(Device):
    """What can be asked for, and a setting that changes nothing but itself. Wiring: none."""

    scratch: int = 0

    def act_bug(self, _value: Json) -> None:
        self.after(0.01, self.break_down, name="bug")

    def break_down(self) -> None:
        raise ArithmeticError("a bug, as it was asked for")

    def act_exit(self, _value: Json) -> None:
        os._exit(3)

    def act_hang(self, _value: Json) -> None:
        time.sleep(3600)


@dataclass(kw_only=True)
class SwitchedOutput(OurSwitchedOutput, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Dimmer(OurDimmer, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Fan(OurFan, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Buzzer(OurBuzzer, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class DoorLock(OurDoorLock, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Servo(OurServo, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class SocketTransmitter(OurSocketTransmitter, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Valve(OurValve, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Heater(OurHeater, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Relay(OurRelay, Hurt):
    """Wiring: none."""


@dataclass(kw_only=True)
class Cover(OurCover, Hurt):
    """Wiring: none."""
