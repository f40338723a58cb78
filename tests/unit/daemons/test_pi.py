from pathlib import Path
from typing import Any

import pytest

from daemons.pi import THERMAL, THROTTLED, Pi

FILES = {
    THERMAL: "48312\n",
    THROTTLED: "50000\n",
    "proc/loadavg": "0.42 0.30 0.20 1/200 1234\n",
    "proc/meminfo": "MemTotal:         948012 kB\nMemFree:          100000 kB\nMemAvailable:     474006 kB\n",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_how_a_machine_is(machine: Path) -> None:
    pi = Pi(root=machine, disk=machine)
    reading: dict[str, Any] = dict(pi.read())
    assert 0 < reading.pop("disk_used") <= 100
    assert reading == {"cpu_temperature": 48.312, "load": 0.42, "memory": 50.0, "throttled": False}
    assert pi.check(pi.read()) == {}


@pytest.mark.parametrize(("bits", "throttled"), [("0", False), ("50000", False), ("50005", True), ("1", True)])
def test_throttled_is_about_now(machine: Path, bits: str, throttled: bool) -> None:
    (machine / THROTTLED).write_text(f"{bits}\n")
    assert Pi(root=machine).read()["throttled"] is throttled


def test_what_the_machine_lacks_is_left_out_and_no_fault(machine: Path) -> None:
    (machine / THERMAL).unlink()
    (machine / THROTTLED).unlink()
    assert Pi(root=machine).read().keys() == {"load", "memory", "disk_used"}


BROKEN = [
    (THERMAL, "", "cpu_temperature", "the device did not answer"),
    (THERMAL, "hot\n", "cpu_temperature", "'hot', which is not a whole number"),
    (THROTTLED, "yes\n", "throttled", "'yes', which is not a hexadecimal number"),
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
    wrong = pi.check(reading := pi.read())
    assert reading.keys() == {"cpu_temperature", "load", "memory", "disk_used", "throttled"}
    assert [*wrong] == [measure]
    assert why in wrong[measure]


def test_a_file_that_cannot_be_opened_fails_alone(machine: Path) -> None:
    (machine / "proc/meminfo").unlink()
    (machine / "proc/meminfo").mkdir()
    pi = Pi(root=machine, disk=Path("/proc"))  # which has no size
    assert {*pi.check(pi.read())} == {"memory", "disk_used"}


def test_a_line_without_a_number_is_passed_over(machine: Path) -> None:
    with (machine / "proc/meminfo").open("a") as file:
        file.write("Foo:\nBar\n")
    assert Pi(root=machine).read()["memory"] == 50.0
