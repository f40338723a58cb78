"""The settings of a transmitter, and what is made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeAlias

from bootstrap.needs import Declares, DeviceNode
from bootstrap.radio.airtime import Airtime, share_in_europe
from bootstrap.sysfs import boot_id

if TYPE_CHECKING:
    from bootstrap.device import Context, Kept
    from bootstrap.radio.air_sender import AirSender
    from bootstrap.radio.pulse_line import PulseSender

Region: TypeAlias = Literal["europe", "other"]


def a_lirc_node(path: Path) -> None:
    """Raise ValueError, saying what is allowed, if `path` is no device node."""
    if not path.is_relative_to("/dev"):
        raise ValueError('the transmitter of the kernel, such as "/dev/lirc0"')


LircNode: TypeAlias = Annotated[Path, a_lirc_node, Declares(lambda path: [DeviceNode(path)])]


class TransmitterSettings(Protocol):
    """The device of a transmitter."""

    context: "Context"
    pin: int | Path
    frequency_mhz: float
    share: float  # of an hour

    def keep(self, name: str, default: dict[str, Any]) -> "Kept[dict[str, Any]]":
        """Keep a value: see `Device.keep`."""

    def own(self, device: Any, safe: float = 0) -> Any:  # noqa: ANN401 - gpiozero has no types
        """Own an output: see `Device.own`."""


def allowed_share(frequency_mhz: float, region: Region, airtime_percent: float | None) -> float:
    """Return which part of an hour may be used.

    Raises:
        ValueError: nothing may be sent there, or more is set than is allowed.
    """
    own = None if airtime_percent is None else airtime_percent / 100
    if region == "other":
        if own is None:
            raise ValueError('region = "other" needs airtime_percent, as your law has it')
        return own
    try:
        most = share_in_europe(frequency_mhz)
    except ValueError as error:
        raise ValueError(f"'frequency_mhz' must be {error}, not {frequency_mhz:g}") from None
    if own is not None and own > most:
        raise ValueError(f"'airtime_percent' must be at most {100 * most:g} at {frequency_mhz:g} MHz in Europe")
    return most if own is None else own


def open_transmitter(device: Any) -> "AirSender":  # noqa: ANN401 - a `TransmitterSettings` that asks, too
    """Open the line of a transmitter, or the kernel's transmitter, and count what it sends.

    Raises:
        OSError: it is not there.
    """
    from bootstrap.radio.air_sender import AirSender  # noqa: PLC0415 - whoever reads settings sends nothing

    airtime = Airtime(device.keep("airtime", dict[str, Any]()), device.share, boot_id())
    air = device.context.state / f"air-{device.frequency_mhz:.0f}.lock"
    air.parent.mkdir(parents=True, exist_ok=True)
    air.touch()
    return AirSender(device, _sender(device), airtime, air, device.context.set_problem)


def _sender(device: TransmitterSettings) -> "PulseSender":
    from bootstrap.radio.pulse_line import ChildSender, KernelSender  # noqa: PLC0415

    if isinstance(device.pin, Path):
        return KernelSender(device.pin)
    from gpiozero import DigitalOutputDevice  # noqa: PLC0415 - the kernel's transmitter needs no pin

    from bootstrap.pins.lent_line import lend  # noqa: PLC0415

    return ChildSender(lend(device.own(DigitalOutputDevice(device.pin))))
