"""Pin factories of others, and what a board or a pin does not allow."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import gpiozero
import pytest
from gpiozero.exc import PinUnknownPi

from bootstrap.device import Device, Measure
from bootstrap.errors import Exit, Fatal
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets
from bootstrap.pins.device_pins import FACTORY, DevicePins
from bootstrap.runtime.declared_lines import DeclaredLines
from bootstrap.runtime.device_context import DeviceSetup
from bootstrap.runtime.named_timers import NamedTimers
from daemons.door import Door
from daemons.lamp import Lamp
from daemons.motion import Motion
from support import rpi_gpio
from support.world import PATIENCE_S

if TYPE_CHECKING:
    from bootstrap.pins.edge import Edge


# RPi.GPIO, as gpiozero uses it.

PI_4B = 0xC03111
RPI_MODULES = ("RPi", "RPi.GPIO", "gpiozero.pins.rpigpio")


@pytest.fixture
def rpigpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """gpiozero's factory `rpigpio`, on a Pi 4B."""
    package = ModuleType("RPi")
    package.GPIO = rpi_gpio  # type: ignore[attr-defined]
    rpi_gpio.lines.clear()
    choose_rpigpio(monkeypatch)
    monkeypatch.setitem(sys.modules, "RPi", package)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", rpi_gpio)
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: PI_4B)
    yield
    if gpiozero.Device.pin_factory:
        gpiozero.Device.pin_factory.close()
    sys.modules.pop("gpiozero.pins.rpigpio", None)


def choose_rpigpio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FACTORY, "rpigpio")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setattr("gpiozero.pins.local.LocalPiFactory.pins", {})  # all factories share them
    monkeypatch.setattr("gpiozero.pins.local.LocalPiFactory._reservations", defaultdict(list))
    for name in RPI_MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)


class Bench:
    """What a device uses of its context, without a sensor."""

    def __init__(self) -> None:
        self._sockets, self.loop = Sockets(), Loop()
        self._inbox = Inbox(self._sockets)
        self.loop.add_reader(self._inbox.socket, self._inbox.receive)
        self.edges: list[Edge] = []
        self.pins = DevicePins(self.loop, self._inbox, self.edges.append)
        self.watch, self.own = self.pins.watch, self.pins.own
        self.cancel = NamedTimers(self.loop, lambda _: None).cancel

    def set_up(self, device: Any) -> Any:
        device.attach(self)
        DeviceSetup(device, DeclaredLines(device, self.pins)).do()
        return device

    def close(self) -> None:
        self.pins.close()
        self._inbox.close()
        self._sockets.end()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.mark.usefixtures("rpigpio")
@pytest.mark.parametrize(("bounce_s", "bounce_ms"), [(0.05, 50), (0, rpi_gpio.NO_BOUNCE)])
def test_a_door_by_rpi_gpio(bench: Bench, bounce_s: float, bounce_ms: int) -> None:
    door = bench.set_up(Door(pin=17, bounce_s=bounce_s))
    line = rpi_gpio.lines[17]
    assert (line.function, line.pull, line.bounce_ms) == (rpi_gpio.IN, rpi_gpio.PUD_UP, bounce_ms)
    assert door.read() == {"open": True}
    for level in (False, True):
        rpi_gpio.drive(17, level)
    assert bench.loop.run(lambda: len(bench.edges) == 2, PATIENCE_S)
    assert [door.on_edge(edge) for edge in bench.edges] == [{"open": False}, {"open": True}]
    bench.pins.close()
    assert (line.pull, line.told) == (rpi_gpio.PUD_OFF, None)


@pytest.mark.usefixtures("rpigpio")
def test_a_lamp_by_rpi_gpio_is_off_first_and_last(bench: Bench) -> None:
    lamp = bench.set_up(Lamp(pin=27, active_high=False))
    line = rpi_gpio.lines[27]
    assert lamp.act_set("on") == {"on": True}
    bench.pins.close()
    assert line.outputs[0] is True
    assert line.outputs[-2:] == [False, True]
    assert line.function == rpi_gpio.IN


# What a board or its settings do not allow is no bug of the device.


@dataclass(kw_only=True)
class Faulty(Device):
    """Wiring: none. A bug that pins have nothing to do with."""

    level = Measure("V")

    def setup(self) -> None:
        raise RuntimeError("a bug")


def end_of(bench: Bench, device: Device) -> tuple[Exit, str]:
    with pytest.raises(Fatal) as end:
        bench.set_up(device)
    return end.value.code, end.value.reason


@pytest.mark.usefixtures("rpigpio")
def test_a_machine_without_a_board_revision_is_told_in_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> None:
        raise PinUnknownPi("unable to locate Pi revision in /proc/device-tree or /proc/cpuinfo")

    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", unknown)
    code, why = end_of(bench, Door(pin=17))
    assert code == Exit.SETTINGS
    assert why.startswith("this machine has no board revision: ")
    assert why.endswith("elsewhere set GPIOZERO_PIN_FACTORY=simulated")


@pytest.mark.parametrize(
    ("raised", "cure"),
    [
        ("RuntimeError('This module can only be run on a Raspberry Pi!')", "install rpi-lgpio in its place, or set"),
        ("NotImplementedError('This module does not understand old-style revision codes')", "install rpi-lgpio in its"),
        ("ImportError('No module named _GPIO')", "install rpi-lgpio; elsewhere set GPIOZERO_PIN_FACTORY=simulated"),
    ],
)
def test_a_pin_factory_that_does_not_know_the_board_is_told_with_the_cure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raised: str, cure: str
) -> None:
    (tmp_path / "RPi").mkdir()
    (tmp_path / "RPi" / "__init__.py").touch()
    (tmp_path / "RPi" / "GPIO.py").write_text(f"raise {raised}\n")
    choose_rpigpio(monkeypatch)
    monkeypatch.syspath_prepend(tmp_path)
    code, why = end_of(bench, Door(pin=17))
    sys.modules.pop("RPi", None)
    assert code == Exit.SETTINGS
    assert why.startswith("no pin factory 'rpigpio': ")
    assert cure in why


@pytest.mark.usefixtures("rpigpio")
@pytest.mark.parametrize(
    ("device", "why"),
    [
        (lambda: Door(pin=99), "no such pin: "),
        (lambda: Motion(pin=2), "a wrong pin: "),  # has a pull-up resistor on the board
    ],
)
def test_a_pin_that_cannot_be_used_so_is_an_error_in_the_settings(
    bench: Bench, device: Callable[[], Device], why: str
) -> None:
    code, reason = end_of(bench, device())
    assert (code, reason.startswith(why)) == (Exit.SETTINGS, True)


@pytest.mark.usefixtures("rpigpio")
def test_a_line_that_a_factory_of_others_does_not_get_may_be_there_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("GPIO busy")

    monkeypatch.setattr(rpi_gpio, "setup", busy)
    with pytest.raises(OSError, match="no line by the pin factory 'rpigpio': GPIO busy"):
        bench.set_up(Door(pin=17))


@pytest.mark.usefixtures("rpigpio")
def test_a_bug_stays_a_bug(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        bench.set_up(Faulty())
