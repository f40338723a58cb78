r"""What `penates scan` finds on real buses of the kernel: run on the virtual Pi, as root.

    sudo tests/pi/scan

Three chips are simulated on I2C (`i2c-stub`), of which a driver has one; two probes on 1-Wire; and a program holds a
line of the header. Prints what was promised of the scan, and ends with 1 if something is not so. It also compares the
registers of the chips before and after: nobody was written to.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gpiod
from gpiod.line import Direction

from bootstrap.pins.header import header_chip
from pi.chip_bus import ADAPTER, W1_DEVICES, W1_SIMULATION
from pi.machine import ROOT, failures, verdict, wait

PYTHON = ROOT / ".venv/bin/python"
HELD, FREE, DISPLAY, NOBODY = 0x48, 0x76, 0x27, 0x20
PROBES = ("28-0000000000a1", "28-0000000000a2")
LINE, HOLDER = 17, "home:frontdoor"
LONGEST_S = 15.0


def penates(*words: str) -> str:
    done = subprocess.run([PYTHON, "-m", "penates", *words], capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout if not done.returncode else sys.exit(f"FAIL penates {' '.join(words)}\n{done.stderr}")


def scanned(house: Path) -> dict[str, Any]:
    """Return what the scan says of each place, and how long it took."""
    begun = time.monotonic()
    found = json.loads(penates("scan", "--json", "--config", str(house)))
    verdict(f"the scan takes less than {LONGEST_S:g} s", time.monotonic() - begun < LONGEST_S, promised=True)
    for missed in found["not_looked_at"]:
        print(f"     not looked at: {missed}")
    return {one["place"]: one for one in found["found"]}


def registers(address: int) -> str:
    """Return what a simulated chip holds, by i2cdump."""
    done = subprocess.run(
        ["i2cdump", "-y", "-f", "1", f"{address:#04x}", "b"], capture_output=True, text=True, check=True
    )
    return done.stdout


def simulate() -> None:
    """Put the chips and the probes on their buses."""
    subprocess.run(["modprobe", "-r", "lm75"], check=False)
    subprocess.run(["modprobe", "-r", "i2c-stub"], check=True)
    addresses = ",".join(hex(one) for one in (HELD, FREE, DISPLAY))
    subprocess.run(["modprobe", "i2c-stub", f"chip_addr={addresses}"], check=True)
    for module in ("lm75", "i2c-dev"):
        subprocess.run(["modprobe", module], check=True)
    (ADAPTER / "new_device").write_text(f"lm75 {HELD:#04x}")
    for serial in PROBES:
        if not (W1_SIMULATION / serial).exists():
            (W1_SIMULATION / "add").write_text(serial)
        (W1_SIMULATION / serial / "present").write_text("1")
    (W1_DEVICES / "w1_bus_master1/w1_master_search").write_text("-1")
    wait(lambda: all((W1_DEVICES / serial).exists() for serial in PROBES))


def main() -> None:
    simulate()
    before = [registers(one) for one in (HELD, FREE, DISPLAY)]
    with TemporaryDirectory() as folder, header_chip() as chip:
        house = Path(folder)
        settings = gpiod.LineSettings(direction=Direction.INPUT)
        with chip.request_lines({LINE: settings}, consumer=HOLDER):
            print(penates("init", "--yes", "--config", folder))
            found = scanned(house)
    verdict("the chip of a driver is adopted", found["0x48"]["adopted"], "home/lm75")
    verdict("so is each probe", {found[one]["adopted"] for one in PROBES}, {"home/thermometer", "home/thermometer-2"})
    parts = [one["part"] for one in found["0x76"]["offers"]]
    verdict("a free chip may be a BME280, and is not adopted", (parts[0], found["0x76"]["adopted"]), ("BME280", None))
    verdict("a display is found", [one["part"] for one in found["0x27"]["offers"]], ["PCF8574"])
    verdict("where nobody answers nothing is found", f"{NOBODY:#04x}" in found, promised=False)
    header = next(one for one in found.values() if one["area"] == "GPIO" and "header" in one["what"])
    verdict("who holds a line is told", f"GPIO{LINE}: {HOLDER}" in header["note"], promised=True)
    verdict("no chip was written to", [registers(one) for one in (HELD, FREE, DISPLAY)] == before, promised=True)
    (ADAPTER / "delete_device").write_text(f"{HELD:#04x}")
    print("all as promised" if not failures else f"{len(failures)} not as promised")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
