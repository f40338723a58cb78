"""Edges of lines that a device has let go."""

from gpiozero import DigitalInputDevice
from gpiozero.pins.mock import MockFactory

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets
from bootstrap.pins.device_pins import DevicePins


def test_an_edge_of_a_line_that_was_let_go_is_nobodys() -> None:
    """One that a thread of gpiozero's own factories has handed in, and that waits to be heard."""
    sockets, seen = Sockets(), []
    inbox = Inbox(sockets)
    pins = DevicePins(Loop(), inbox, seen.append)
    factory = MockFactory()
    pins.watch(DigitalInputDevice(17, pin_factory=factory))
    factory.pin(17).drive_high()
    inbox.receive()
    factory.pin(17).drive_low()
    pins.close()
    pins.watch(DigitalInputDevice(17, pin_factory=factory))
    inbox.receive()
    assert [edge.active for edge in seen] == [True]
    pins.close()
    inbox.close()
    sockets.end()
