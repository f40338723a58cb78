"""The chip behind the 40-pin header, and its lines as the kernel gives them."""

import errno
from collections.abc import Iterator
from pathlib import Path

import gpiod

from bootstrap.pins.device_pins import line_holder

# The chip behind the 40-pin header of the Zero to 3, the 4 and the 5 (kernel documentation of these pinctrl drivers).
HEADER_LABELS = frozenset({"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"})
BUFFER = 1024  # edges that the kernel keeps for us; its own limit


def chips() -> Iterator[Path]:
    """Return the GPIO chips of this machine."""
    return (path for path in sorted(Path("/dev").glob("gpiochip*")) if gpiod.is_gpiochip_device(str(path)))


def header_chip() -> gpiod.Chip:
    """Return the chip of the header, found by its label: its number differs between Pis and between kernels.

    Raises:
        OSError: there is none, or no permission to open it.
    """
    seen = {}
    for path in chips():
        try:
            chip = gpiod.Chip(str(path))
        except PermissionError:
            raise PermissionError(errno.EACCES, f"no permission for {path}; is the user in the group gpio?") from None
        if chip.get_info().label in HEADER_LABELS:
            return chip
        seen[str(path)] = chip.get_info().label
        chip.close()
    what = f"only {seen}" if seen else "no GPIO chip at all"
    raise OSError(errno.ENODEV, f"no Raspberry Pi header here, {what}; GPIOZERO_PIN_FACTORY=simulated needs none")


def request_line(chip: gpiod.Chip, number: int, settings: gpiod.LineSettings) -> gpiod.LineRequest:
    """Request a line.

    Raises:
        OSError: it is in use; the message says by whom.
    """
    try:
        return chip.request_lines({number: settings}, consumer=line_holder(), event_buffer_size=BUFFER)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        owner = chip.get_line_info(number).consumer
        raise OSError(errno.EBUSY, f"GPIO{number} is in use by {owner or 'the kernel'}") from None
