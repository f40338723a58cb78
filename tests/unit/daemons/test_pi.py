from pathlib import Path
from typing import Any

import pytest

from bootstrap.machine.throttling import PLACE as THROTTLED
from bootstrap.sysfs import boot_id
from daemons.pi import THERMAL, Pi
from penates.testing import Bench

FILES = {
    THERMAL: "48312\n",
    THROTTLED: "50000\n",
    "proc/uptime": "350735.47 234388.90\n",
    "proc/loadavg": "0.42 0.30 0.20 1/200 1234\n",
    "proc/meminfo": "MemTotal:         948012 kB\nMemFree:          100000 kB\nMemAvailable:     474006 kB\n",
}


def read(pi: Pi) -> dict[str, Any]:
    """Read it once, as it is at its start."""
    with Bench(pi):
        return dict(pi.read())


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_how_a_machine_is(machine: Path) -> None:
    pi = Pi(root=machine, disk=machine)
    reading = read(pi)
    assert 0 < reading.pop("disk_used") <= 100
    assert reading == {
        "cpu_temperature": 48.312,
        "load": 0.42,
        "memory": 50.0,
        "uptime": 350735.47,
        "throttled": False,
        "throttled_since_start": True,
        "under_voltage": False,
        "under_voltage_since_start": True,
    }
    assert pi.check(reading) == {}


@pytest.mark.parametrize(("bits", "throttled"), [("0", False), ("50000", False), ("50005", True), ("1", True)])
def test_throttled_is_about_now(machine: Path, bits: str, throttled: bool) -> None:
    (machine / THROTTLED).write_text(f"{bits}\n")
    assert read(Pi(root=machine))["throttled"] is throttled


def test_what_the_machine_lacks_is_left_out_and_no_fault(machine: Path) -> None:
    (machine / THERMAL).unlink()
    (machine / THROTTLED).unlink()
    assert read(Pi(root=machine)).keys() == {"load", "memory", "disk_used", "uptime"}


BROKEN = [
    (THERMAL, "", "cpu_temperature", "the device did not answer"),
    (THERMAL, "hot\n", "cpu_temperature", "'hot', which is not a whole number"),
    ("proc/uptime", "", "uptime", "does not begin with a number"),
    ("proc/loadavg", "", "load", "does not begin with a number"),
    ("proc/loadavg", "nan 1 2", "load", "nan"),
    ("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 400 kB\n", "memory", "no MemAvailable"),
    ("proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "memory", "no MemTotal above 0"),
    ("proc/meminfo", "\xff", "memory", "decode"),
]


@pytest.mark.parametrize(("name", "text", "measure", "why"), BROKEN)
def test_what_it_has_and_cannot_be_read_fails_alone(
    machine: Path, name: str, text: str, measure: str, why: str
) -> None:
    (machine / name).write_text(text, encoding="latin-1")
    pi = Pi(root=machine, disk=machine)
    wrong = pi.check(reading := read(pi))
    assert reading.keys() == pi.measures.keys()
    assert [*wrong] == [measure]
    assert why in wrong[measure]


def test_a_file_that_cannot_be_opened_fails_alone(machine: Path) -> None:
    (machine / "proc/meminfo").unlink()
    (machine / "proc/meminfo").mkdir()
    pi = Pi(root=machine, disk=Path("/proc"))  # which has no size
    assert {*pi.check(read(pi))} == {"memory", "disk_used"}


def test_a_line_without_a_number_is_passed_over(machine: Path) -> None:
    with (machine / "proc/meminfo").open("a") as file:
        file.write("Foo:\nBar\n")
    assert read(Pi(root=machine))["memory"] == 50.0


SINCE = ("throttled_since_start", "under_voltage_since_start")


def test_bits_that_are_none_fail_with_all_that_they_tell(machine: Path) -> None:
    (machine / THROTTLED).write_text("yes\n")
    pi = Pi(root=machine, disk=machine)
    wrong = pi.check(read(pi))
    assert {*wrong} == {"throttled", "under_voltage", *SINCE}
    assert all("'yes', which is not a hexadecimal number" in why for why in wrong.values())


def test_what_was_seen_stays_until_the_machine_starts_again(machine: Path, tmp_path: Path) -> None:
    """Even if the kernel clears the firmware's memory of it, and the sensor starts again meanwhile."""
    state = tmp_path / "state"

    def told(bits: str) -> tuple[Any, ...]:
        (machine / THROTTLED).write_text(f"{bits}\n")
        with Bench(pi := Pi(root=machine), state):
            reading = pi.read()
        return tuple(reading[name] for name in ("under_voltage", *SINCE))

    assert told("0") == (False, False, False)
    assert told("20000") == (False, True, False)  # capped since the start
    assert told("1") == (True, True, True)
    assert told("0") == (False, True, True)
    kept = next(state.rglob("kept.json"))
    kept.write_text(kept.read_text().replace(boot_id(), "another start"))
    assert told("0") == (False, False, False)


def test_a_newer_machine_has_it_elsewhere(machine: Path) -> None:
    (machine / THROTTLED).unlink()
    file = machine / "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
    file.parent.mkdir(parents=True)
    file.write_text("1\n")
    assert read(Pi(root=machine))["under_voltage"] is True
