"""The receiver: which radio it is, and how rtl_433 is called to listen with it."""

import errno
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from bootstrap.hosts import a_host
from bootstrap.needs import GpioLine, Need, NetworkHost, TextSetting, UsbDevice
from bootstrap.pins.line_names import BCM_NUMBERS, line_number
from bootstrap.streams import ChildProcess

TCP = re.compile(r"rtl_tcp:(?:(?P<host>[^:]+)(?::(?P<port>\d{1,5}))?)?")
STICK = re.compile(r"(?P<index>\d{1,2})|:(?P<serial>[\w-]+)", re.ASCII)
FILE = re.compile(r"(?:\w+:)*/.+")
PIN = re.compile(r"pin:(?P<line>.+)")
SOAPY = re.compile(r"\w+=\S+")
ALLOWED = (
    'the number of a stick, its serial number as ":00000001", "rtl_tcp:HOST:PORT", "driver=…", a full path, '
    'or "pin:GPIO27"'
)
STICKS = ("0bda:2832", "0bda:2838")  # the chip RTL2832U, by the number of its maker and its own
DVB_DRIVER = "dvb_usb_rtl28xxu"  # which makes a television of it
SPEAKS = ("-F", "json", "-M", "time:utc:usec", "-M", "level", "-M", "protocol")
NO_FILE = ("-c", "/dev/null")  # instead of the settings in /etc/rtl_433
OURS = frozenset("FMRrdfgcEnTwWSyAaDChVHKX")  # options that other settings stand for, or that would end it
LAST_WORDS = re.compile(
    r"^No (?:supported|matching) device|^Kernel driver is active|usb_claim_interface error|usb_open error"
    r"|[Ff]ailed to open|Opening file: .* failed|^connect: |[Rr]ead stalled|sync read failed"
    r"|invalid option|option requires an argument|invalid .* argument|is larger than number of protocols"
    r"|^Unable to open|^Library error|^Failed to set"
)
ABSENT = re.compile(r"No (?:supported|matching) device|Opening file: .* failed|[Rr]ead stalled|read failed|error -4$")
WELL_S = 10.0  # after which a receiver is well that has not ended, though nobody was heard


@dataclass(frozen=True)
class RadioInput(TextSetting):
    """What to listen with: a stick, a receiver elsewhere or on a pin, or a recording."""

    def __post_init__(self) -> None:
        if match := TCP.fullmatch(self.text):
            a_host(match["host"] or "localhost")
        elif match := PIN.fullmatch(self.text):
            _line(match["line"])
        elif not any(form.fullmatch(self.text) for form in (STICK, FILE, SOAPY)):
            raise ValueError(ALLOWED)

    def needs(self) -> list[Need]:
        """Return what must be there: a stick, or a host in the network."""
        if match := TCP.fullmatch(self.text):
            return [NetworkHost(match["host"] or "localhost")]
        if match := STICK.fullmatch(self.text):
            return [UsbDevice(self.text, STICKS, match["serial"] or "", DVB_DRIVER)]
        if self.line is not None:
            return [GpioLine(self.line, driven=False)]
        return [] if FILE.fullmatch(self.text) else [UsbDevice(self.text)]

    @property
    def line(self) -> int | None:
        """The GPIO line of a receiver on a pin, by its BCM number."""
        match = PIN.fullmatch(self.text)
        return _line(match["line"]) if match else None

    @property
    def arguments(self) -> list[str]:
        """How rtl_433 is told of it."""
        if self.line is not None:
            return ["-r", "ook:-"]
        return ["-r", self.text] if FILE.fullmatch(self.text) else ["-d", self.text]


def _line(text: str) -> int:
    """Return the BCM number of a line; that, or its name. ValueError: there is no such line."""
    return int(text) if text.isdecimal() and int(text) in BCM_NUMBERS else line_number(text)


FIRST_STICK = RadioInput("0")


def an_option(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is an option of rtl_433 that another setting stands for."""
    if text.startswith("-") and text[1:2] in OURS:
        raise ValueError(f"options of rtl_433 other than {', '.join(f'-{one}' for one in sorted(OURS))}")


Option: TypeAlias = Annotated[str, an_option]
GAIN = re.compile(r"auto|\d+(?:\.\d+)?|\w+=\d+(?:\.\d+)?(?:,\w+=\d+(?:\.\d+)?)*", re.ASCII)


def a_gain(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is no gain: rtl_433 would take it for 0."""
    if not GAIN.fullmatch(text):
        raise ValueError('"auto", dB such as "28", or for SoapySDR those of each stage, such as "LNA=40,VGA=20"')


Gain: TypeAlias = Annotated[str, a_gain]


@dataclass(frozen=True)
class Receiver:
    """How to listen: the program, its input, the frequency in MHz, the gain in dB, and more options."""

    program: str
    source: RadioInput
    frequency_mhz: float
    gain: str
    options: Sequence[str]

    def child(self, decoders: Iterable[int]) -> ChildProcess:
        """Return the child that listens. `decoders` are the only ones; those that are negative are off instead."""
        tuning = ["-f", f"{self.frequency_mhz:.9g}M", *(["-g", self.gain] if self.gain != "auto" else [])]
        chosen = [word for number in decoders for word in ("-R", str(number))]
        command = [self.program, *NO_FILE, *self.source.arguments, *SPEAKS, *tuning, *self.options, *chosen]
        return ChildProcess(command, LAST_WORDS, WELL_S)


def receiver_failure(why: str) -> OSError:
    """Return the error of a receiver that does not work, for this reason: without a device it is absent."""
    found = OSError(why)
    found.errno = errno.ENODEV if ABSENT.search(why) else errno.EIO
    return found
