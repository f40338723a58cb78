"""Devices of a user's own, which do what devices do on bad days. `kind = "odd_devices.Odd"`."""

import time
from dataclasses import dataclass
from pathlib import Path

from bootstrap.device import Device, Measure, Reading
from bootstrap.errors import NoReading
from bootstrap.payload import Json

ERRORS = {
    "OSError": OSError("odd"),
    "Silent": OSError(),
    "ValueError": ValueError("odd"),
    "NoReading": NoReading("odd"),
    "RuntimeError": RuntimeError("odd"),
    "SystemExit": SystemExit(0),
    "TypeError": TypeError("odd"),
}


@dataclass(kw_only=True)
class Odd(Device):
    """Wiring: none. `hook` raises `error`; what is torn down leaves a file."""

    hook: str = ""
    error: str = "RuntimeError"
    diary: Path = Path("diary")
    every_s: float = 0.1

    level = Measure("V", low=0, high=10)
    word = Measure(str)
    flag = Measure(bool)

    def _may_raise(self, hook: str) -> None:
        with self.diary.open("a") as diary:
            diary.write(f"{hook}\n")
        if hook == self.hook:
            raise ERRORS[self.error]

    def setup(self) -> None:
        self._may_raise("setup")

    def read(self) -> Reading:
        self._may_raise("read")
        return {"level": 5, "word": "open", "flag": True}

    def act_set(self, value: Json) -> Reading | None:
        self._may_raise("act_set")
        if value == "slow":
            time.sleep(0.3)
        if value == "hang":
            time.sleep(3600)
        if value == "wrong":
            return {"unknown": 1}
        return {"level": value} if isinstance(value, float | int) else None

    def teardown(self) -> None:
        self._may_raise("teardown")
        if self.hook == "hang":
            time.sleep(3600)


@dataclass(kw_only=True)
class Late(Device):
    """Wiring: none. The third read takes three and a half periods."""

    every_s: float = 0.2
    reads: int = 0

    late = Measure("s")

    def read(self) -> Reading:
        self.reads += 1
        if self.reads == 3:
            time.sleep(0.7)
        return {"late": time.monotonic()}
