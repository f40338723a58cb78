r"""Probes on a simulated 1-Wire bus, read in one go by the kernel's own drivers: run on the virtual Pi, as root.

    sudo tests/pi/one-wire

Reads good, damaged and unplugged probes, a bus that does not answer the trigger, and values that wait from an earlier
one; then in a unit with the sandbox of a sensor, which may trigger only by its drop-in. Prints a table of what was
seen, and ends with 1 if a row is not as promised.
"""

import grp
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.one_wire.bus_master import BULK_FILE
from bootstrap.one_wire.bus_reader import BusReader
from penates.installer.unit_files import bulk_conversion
from pi.chip_bus import W1_DEVICES, W1_SIMULATION
from pi.machine import ROOT, failures, verdict, wait

A, B = "28-0000000000a1", "28-0000000000a2"
MASTER = W1_DEVICES / "w1_bus_master1"
TRIGGER = MASTER / BULK_FILE
CONVERSION_S = 0.75
COPY = Path("/opt/one-wire-under-test")
UNIT = "one-wire-under-test.service"
UNITS = Path("/run/systemd/system")
ABSENT = "ValueError"


def put(serial: str, **files: int) -> None:
    """Set what a simulated probe holds, and how it behaves: temp (in thousandths), present, corrupt, stuck85."""
    for name, value in files.items():
        (W1_SIMULATION / serial / name).write_text(str(value))


def seen() -> tuple[str, object, object]:
    """Return how the probes were converted in a round, and what the two have answered."""
    found = BusReader(W1_DEVICES).read()
    told = [found.values[serial].temperature for serial in (A, B)]
    first, second = (one if isinstance(one, float) else type(one).__name__ for one in told)
    return found.conversion, first, second


def as_user(user: str) -> tuple[str, object, object]:
    """Return the same, read by somebody who is not root."""
    number, group = pwd.getpwnam(user).pw_uid, grp.getgrnam(user).gr_gid
    os.setegid(group)
    os.seteuid(number)
    try:
        return seen()
    finally:
        os.seteuid(0)
        os.setegid(0)


def told_in_vain() -> None:
    """Trigger while nobody answers: the kernel marks the values of the conversion before as new."""
    put(A, present=0)
    put(B, present=0)
    began = time.monotonic()
    TRIGGER.write_text("trigger\n")
    put(A, present=1, temp=1000)
    put(B, present=1, temp=2000)
    verdict("a trigger that nobody answers takes no time", time.monotonic() - began < CONVERSION_S)
    verdict("  and the kernel says that values wait", TRIGGER.read_text(), "1\n")


def rows() -> None:
    put(A, temp=-10125)
    put(B, temp=30000)
    began = time.monotonic()
    verdict("both at once", seen(), ("bulk", -10.125, 30.0))
    verdict("  in the time of one conversion", time.monotonic() - began < 2 * CONVERSION_S)
    put(A, corrupt=1000)
    verdict("a wrong checksum is that of one", seen(), ("bulk", ABSENT, 30.0))
    put(A, corrupt=0, present=0)
    verdict("one is unplugged, and still listed", seen(), ("bulk", ABSENT, 30.0))
    put(B, present=0)
    verdict("both are unplugged", seen(), ("each", ABSENT, ABSENT))
    put(A, present=1)
    put(B, present=1)
    told_in_vain()
    verdict("no old value after a trigger in vain, by root", seen(), ("bulk", 1.0, 2.0))
    TRIGGER.chmod(0o644)
    told_in_vain()
    verdict("  nor by somebody who may not trigger", as_user("daemon"), ("each", 1.0, 2.0))
    TRIGGER.write_text("trigger\n")
    put(A, temp=3000)
    put(B, temp=4000)
    verdict("no value that waits from another's trigger", as_user("daemon"), ("each", 3.0, 4.0))


@contextmanager
def unit() -> Iterator[None]:
    """Have a unit with the sandbox of a sensor that reads the bus once."""
    shutil.copytree(ROOT / "bootstrap", COPY / "bootstrap", dirs_exist_ok=True)
    drop_ins = UNITS / f"{UNIT}.d"
    drop_ins.mkdir(parents=True, exist_ok=True)
    code = "from pathlib import Path; from bootstrap.one_wire.bus_reader import BusReader"
    code += f"; print(BusReader(Path('{W1_DEVICES}')).read().conversion)"
    start = f'/usr/bin/env PYTHONPATH={COPY} python3 -c "{code}"'
    (UNITS / UNIT).write_text(f"[Service]\nType=oneshot\nExecStart={start}\nStandardOutput=truncate:{COPY}/said\n")
    hardening = (ROOT / "systemd" / "hardening.conf").read_text()
    (drop_ins / "hardening.conf").write_text(hardening.replace("=penates\nGroup=penates", "=daemon\nGroup=daemon"))
    try:
        yield
    finally:
        shutil.rmtree(COPY)
        shutil.rmtree(drop_ins)
        (UNITS / UNIT).unlink()
        subprocess.run(["systemctl", "daemon-reload"], check=True)


def in_the_sandbox() -> str:
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "start", UNIT], check=False)
    return (COPY / "said").read_text().strip()


def sandbox() -> None:
    shutil.chown(TRIGGER, "root", "root")
    TRIGGER.chmod(0o644)
    with unit():
        verdict("a sandboxed unit may not trigger", in_the_sandbox(), "each")
        lines = "".join(f"{name}={value}\n" for name, value in bulk_conversion(W1_DEVICES))
        allowed = lines.replace("chgrp penates", "chgrp daemon")
        (UNITS / f"{UNIT}.d" / "penates.conf").write_text(f"[Service]\n{allowed}")
        verdict("  but with its drop-in it may", in_the_sandbox(), "bulk")
    found = TRIGGER.stat()
    verdict("  as the group of that file", (found.st_uid, oct(found.st_mode & 0o777)), (0, "0o664"))
    others = [one for one in MASTER.iterdir() if one.is_file() and one != TRIGGER and one.stat().st_gid != 0]
    verdict("  and of no other", others, [])


def main() -> None:
    for serial in {A, B} - {one.name for one in W1_SIMULATION.iterdir()}:
        (W1_SIMULATION / "add").write_text(serial)
    for one in W1_SIMULATION.glob("28-*"):
        put(one.name, present=int(one.name in (A, B)), corrupt=0, stuck85=0)
    (MASTER / "w1_master_search").write_text("-1")
    verdict("the kernel lists both", wait(lambda: (W1_DEVICES / A).exists() and (W1_DEVICES / B).exists()) is not None)
    rows()
    sandbox()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
