"""The settings of a transmitter, and what is made of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from bootstrap.limits import Limits
from bootstrap.needs import Declares, DeviceNode, TimedOutput
from bootstrap.radio.airtime import Airtime, share_in_europe
from bootstrap.sysfs import boot_id

if TYPE_CHECKING:
    from bootstrap.pins.pulse_line import PulseSender
    from bootstrap.radio.air_sender import AirSender

EUROPE = "europe"


def a_lirc_node(path: Path) -> None:
    """Raise ValueError, saying what is allowed, if `path` is no device node."""
    if not path.is_relative_to("/dev"):
        raise ValueError('the transmitter of the kernel, such as "/dev/lirc0"')


LircNode: TypeAlias = Annotated[Path, a_lirc_node, Declares(lambda path: [DeviceNode(path)])]


@dataclass(kw_only=True)
class TransmitterSettings:
    """Where a transmitter is, and how much it may send."""

    pin: TimedOutput | LircNode  # the line to DATA, or the kernel's transmitter on that line, such as "/dev/lirc0"
    frequency_mhz: Annotated[float, Limits(0.1, 6000)] = 433.92  # of the module
    region: Literal["europe", "other"] = "europe"  # whose limits apply; with "other" set airtime_percent
    airtime_percent: Annotated[float, Limits(0.001, 100)] | None = None  # of each hour, such as 0.5; else all allowed

    def __post_init__(self) -> None:
        _ = self.share

    @property
    def share(self) -> float:
        """The part of an hour that may be used.

        Raises:
            ValueError: nothing may be sent at this frequency, or less than is set.
        """
        own = None if self.airtime_percent is None else self.airtime_percent / 100
        if self.region != EUROPE:
            if own is None:
                raise ValueError('region = "other" needs airtime_percent, as the law there has it')
            return own
        try:
            most = share_in_europe(self.frequency_mhz)
        except ValueError as error:
            raise ValueError(f"'frequency_mhz' must be {error}, not {self.frequency_mhz:g}") from None
        if own is not None and own > most:
            raise ValueError(f"'airtime_percent' must be at most {100 * most:g} at {self.frequency_mhz:g} MHz")
        return most if own is None else own


def open_transmitter(device: Any) -> "AirSender":  # noqa: ANN401 - a gateway with these settings
    """Open the line of a transmitter, or the kernel's transmitter, and count what it sends.

    Raises:
        OSError: it is not there.
    """
    from bootstrap.radio.air_sender import AirSender  # noqa: PLC0415 - whoever reads settings sends nothing

    airtime = Airtime(device.keep("airtime", dict[str, Any]()), device.share, boot_id())
    air = device.context.state / f"air-{round(device.frequency_mhz, -1):.0f}.lock"  # of one band
    air.parent.mkdir(parents=True, exist_ok=True)
    air.touch()
    return AirSender(device, _sender(device), airtime, air)


def _sender(device: Any) -> "PulseSender":  # noqa: ANN401 - as above
    from bootstrap.pins.pulse_line import ChildSender, KernelSender  # noqa: PLC0415

    if isinstance(device.pin, Path):
        return KernelSender(device.pin)
    from gpiozero import DigitalOutputDevice  # noqa: PLC0415 - the kernel's transmitter needs no pin

    from bootstrap.pins.lent_line import lend  # noqa: PLC0415

    return ChildSender(lend(device.own(DigitalOutputDevice(device.pin))))
