from pathlib import Path

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
    reading = dict(pi.read())
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


def test_what_it_has_and_cannot_be_read_is_a_fault(machine: Path) -> None:
    (machine / THERMAL).write_text("hot\n")
    with pytest.raises(ValueError, match="hot"):
        Pi(root=machine).read()
