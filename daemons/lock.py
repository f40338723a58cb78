"""A door lock."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.door_locks.locking_door import LockingDoor
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class DoorLock(LockingDoor):
    """A door's strike, magnet or motor, unlocked for a while only. docs/LOCKS.md says what it is without power.

    The way out must be mechanical: from inside, a handle or knob opens the door whatever this does. What `fail` says is
    a matter of the hardware: what the door is without power is what it is whenever the sensor does not run, and for a
    moment when its settings are reloaded. Nothing unlocks at a start. A motor stays where it is without power: it locks
    when the sensor ends, and after a power cut, when it starts; choose one with end switches, or that may be blocked.

    Wiring: a relay's or MOSFET's IN to `pin` (of a motor's driver, the input that unlocks; its other one to
    `lock_pin`), VCC to 5V, GND to GND; 10 kohm from each of these lines to GND (to 3V3 if it is switched by 0), because
    a line floats when its process dies; the bolt's contact to `bolt` and to GND, the door's to `door` and to GND.
    """

    parts: ClassVar = dict.fromkeys(
        ("electric strike", "magnetic lock", "motor lock", "L298N", "DRV8871"), DRIVEN_LINES
    )
    shown_as: ClassVar = {"open": "door"}
