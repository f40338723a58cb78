"""Fixtures of the tests that need no broker, no database and no process of ours."""

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.config.loader import load
from bootstrap.config.model import SensorSettings
from penates.installer import unit_states
from support.world import House, close_segment_logs

SHOWN = """\
Id=penates.service
LoadState=not-found
ActiveState=inactive
SubState=dead

Id=penates@cellar.service
LoadState=loaded
UnitFileState=enabled
ActiveState={state}
SubState={sub}
StatusText={status}
StateChangeTimestampMonotonic={since}
Result=success
ExecMainStatus=78
NRestarts={restarts}
User=daemon
SupplementaryGroups=tty nosuchgroup
Environment=A=1 "GPIOZERO_PIN_FACTORY=lgpio"
WorkingDirectory=/run/penates
DevicePolicy=closed
DeviceAllow=char-i2c rw
DeviceAllow=char-spi rw
"""


@pytest.fixture(autouse=True)
def _close_segment_logs() -> Iterator[None]:
    yield
    close_segment_logs()


@pytest.fixture
def cellar_settings(house: House, monkeypatch: pytest.MonkeyPatch) -> SensorSettings:
    """A thermometer's, whose state is in the house's folder."""
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))
    house.write(1)
    house.thermometer()
    return load(house.folder, "cellar")


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A machine with systemd, which says this of the cellar's unit."""

    def says(state: str, sub: str, restarts: int = 0, since_s: int = 60) -> None:
        program = tmp_path / "bin" / "systemctl"
        program.parent.mkdir(exist_ok=True)
        (tmp_path / "shown").write_text(
            SHOWN.format(
                state=state,
                sub=sub,
                restarts=restarts,
                since=time.monotonic_ns() // 1000 - since_s * 1_000_000,
                status="online; connected to the broker" if sub == "running" else "",
            )
        )
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *"penates.service penates@cellar.service"*) cat {tmp_path}/shown;; esac\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        monkeypatch.setattr(unit_states, "BOOTED", tmp_path)

    return says


@pytest.fixture
def full_disk() -> Iterator[tuple[int, int]]:
    """No file may become larger than ten bytes; the kernel writes up to there, as at the end of a disk.

    The limits before, which apply again afterwards.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    yield before
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Provide a machine whose time zone is an hour, in summer two, ahead of the wire's."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
