"""The files of a Pi's own PWM, as the kernel has them below /sys, with the device tree that says which lines it has."""

import os
import threading
from pathlib import Path
from typing import Self

NODES = {
    "fe20c000.pwm": ("soc/pwm@7e20c000", "soc/gpio@7e200000"),
    "1f00098000.pwm": ("rp1/pwm@98000", "rp1/gpio@d0000"),
}
FRESH = {"period": "0", "duty_cycle": "0", "enable": "0", "polarity": "normal"}  # as after an export
PHANDLE = (7).to_bytes(4, "big")


class PwmFiles:
    """A block of PWM that drives these lines; in the kernel's stead, a thread exports what is asked for."""

    def __init__(
        self, root: Path, *lines: int, block: str = "fe20c000.pwm", chip: int = 0, named: bool = False
    ) -> None:
        self.root = root
        own, pins = (root / "firmware/devicetree/base" / node for node in NODES[block])
        node = pins / "pwm_pins"
        for folder in (own, node):
            folder.mkdir(parents=True)
        (own / "pinctrl-0").write_bytes(PHANDLE)
        (node / "phandle").write_bytes(PHANDLE)
        if named:
            (node / "pins").write_bytes(b"".join(b"gpio%d\0" % line for line in lines))
        else:
            (node / "brcm,pins").write_bytes(b"".join(line.to_bytes(4, "big") for line in lines))
        platform = root / "bus/platform/devices" / block
        self.chip = platform / f"pwm/pwmchip{chip}"
        self.chip.mkdir(parents=True)
        (platform / "of_node").symlink_to(own)

    def channel(self, number: int, **files: str) -> Path:
        """A channel that is exported, with these contents."""
        folder = self.chip / f"pwm{number}"
        folder.mkdir(exist_ok=True)
        for name, text in {**FRESH, **files}.items():
            (folder / name).write_text(f"{text}\n")
        return folder

    def state(self, number: int) -> dict[str, str]:
        folder = self.chip / f"pwm{number}"
        return {name: (folder / name).read_text().strip() for name in FRESH}

    def high(self, number: int) -> float:
        """The part of the time at which the line is high."""
        found = self.state(number)
        return int(found["duty_cycle"]) / int(found["period"]) if found["enable"] == "1" else 0.0


class Exporting:
    """Exports the channels whose numbers are written into `export`, which is a pipe."""

    def __init__(self, files: PwmFiles) -> None:
        self._files, self.asked = files, list[int]()
        os.mkfifo(files.chip / "export")
        self._pipe = os.open(files.chip / "export", os.O_RDWR)
        self.exported = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        os.write(self._pipe, b"end")
        self._thread.join()
        os.close(self._pipe)

    def _run(self) -> None:
        while (asked := os.read(self._pipe, 16)) != b"end":
            self.asked.append(int(asked))
            self._files.channel(int(asked))
            self.exported.set()
