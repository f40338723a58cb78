"""A stream has a source that a setting declares."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.device import Device
from bootstrap.errors import Exit, Fatal
from bootstrap.needs import Host, Program, SerialPort
from bootstrap.runtime.streams.declared_source import require_declared
from bootstrap.streams import ChildProcess, Serial, Source, Tcp


@dataclass(kw_only=True)
class Meter(Device):
    """Wiring: none."""

    port: SerialPort
    host: Host = "meter.lan"
    program: Program = "rtl_433"
    other: str = "other.lan"


@pytest.fixture
def meter(tmp_path: Path) -> Meter:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB0")
    return Meter(port=tmp_path / "by-id")


def test_what_is_declared_may_be_opened(meter: Meter, tmp_path: Path) -> None:
    sources = (Serial(meter.port), Serial(tmp_path / "ttyUSB0"), Tcp("Meter.lan", 1), ChildProcess(["rtl_433", "-R"]))
    for source in sources:
        require_declared(meter, source)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (Serial("/dev/ttyS9"), "/dev/ttyS9 is opened, but no setting declares it: in Meter .* must be SerialPort"),
        (Tcp("other.lan", 7), "other.lan:7 is connected to, but no setting declares it: in Meter .* must be Host"),
        (ChildProcess(["/bin/sh"]), "sh is started, but no setting declares it: in Meter .* must be Program"),
    ],
    ids=["serial", "tcp", "program"],
)
def test_anything_else_is_an_error_of_the_kind(meter: Meter, source: Source, why: str) -> None:
    with pytest.raises(Fatal, match=why) as refused:
        require_declared(meter, source)
    assert refused.value.code is Exit.SETTINGS


@pytest.mark.parametrize("command", ["rtl_433 -F json", []])
def test_a_command_is_a_list(command: list[str]) -> None:
    with pytest.raises(TypeError, match="a list, of a program and its arguments"):
        ChildProcess(command)
