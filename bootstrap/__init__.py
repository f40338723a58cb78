"""What every sensor process of a house shares; and what the author of a device imports: `from bootstrap import Device`.

Importing `bootstrap` loads nothing else. A name is loaded when it is first used; docs/API.md describes each.
"""

__version__ = "0.2.0"

TYPE_CHECKING = False  # as in `typing`, which is not loaded for it
if TYPE_CHECKING:  # each name stands here, for whoever checks types, and in `HOMES`
    from bootstrap.contact import Contact as Contact
    from bootstrap.contract.commands import only as only
    from bootstrap.contract.commands import seconds as seconds
    from bootstrap.contract.heard import Heard as Heard
    from bootstrap.contract.heard import ListeningHandle as ListeningHandle
    from bootstrap.contract.heard import Silence as Silence
    from bootstrap.contract.payload import Json as Json
    from bootstrap.contract.subscription import OnBatch as OnBatch
    from bootstrap.contract.subscription import ReceivedMessage as ReceivedMessage
    from bootstrap.contract.subscription import SubscriptionHandle as SubscriptionHandle
    from bootstrap.device import Context as Context
    from bootstrap.device import Device as Device
    from bootstrap.device import Kept as Kept
    from bootstrap.device import Measure as Measure
    from bootstrap.device import Reading as Reading
    from bootstrap.device import Seconds as Seconds
    from bootstrap.device import Takes as Takes
    from bootstrap.device import Value as Value
    from bootstrap.device import host_name as host_name
    from bootstrap.device import takes as takes
    from bootstrap.errors import NoReading as NoReading
    from bootstrap.errors import Refused as Refused
    from bootstrap.eventloop.loop import Timer as Timer
    from bootstrap.gateway import Adopted as Adopted
    from bootstrap.gateway import Gateway as Gateway
    from bootstrap.limits import Limits as Limits
    from bootstrap.needs import BusAddress as BusAddress
    from bootstrap.needs import ChildProgram as ChildProgram
    from bootstrap.needs import DebianPackage as DebianPackage
    from bootstrap.needs import Declares as Declares
    from bootstrap.needs import DeviceNode as DeviceNode
    from bootstrap.needs import GpioLine as GpioLine
    from bootstrap.needs import Host as Host
    from bootstrap.needs import I2CAddress as I2CAddress
    from bootstrap.needs import I2CBus as I2CBus
    from bootstrap.needs import IcmpEcho as IcmpEcho
    from bootstrap.needs import Input as Input
    from bootstrap.needs import Listened as Listened
    from bootstrap.needs import ModbusAddress as ModbusAddress
    from bootstrap.needs import NetworkHost as NetworkHost
    from bootstrap.needs import OneWireBulk as OneWireBulk
    from bootstrap.needs import OneWireDevice as OneWireDevice
    from bootstrap.needs import OneWireFolder as OneWireFolder
    from bootstrap.needs import Output as Output
    from bootstrap.needs import PageUrl as PageUrl
    from bootstrap.needs import Pin as Pin
    from bootstrap.needs import PowerAction as PowerAction
    from bootstrap.needs import PowerSwitch as PowerSwitch
    from bootstrap.needs import Program as Program
    from bootstrap.needs import PwmSource as PwmSource
    from bootstrap.needs import SerialBus as SerialBus
    from bootstrap.needs import SerialPort as SerialPort
    from bootstrap.needs import ServerUrl as ServerUrl
    from bootstrap.needs import SpiDevice as SpiDevice
    from bootstrap.needs import Sysfs as Sysfs
    from bootstrap.needs import Target as Target
    from bootstrap.needs import TimedOutput as TimedOutput
    from bootstrap.needs import Told as Told
    from bootstrap.needs import TopicFilter as TopicFilter
    from bootstrap.needs import UsbDevice as UsbDevice
    from bootstrap.needs import UsbName as UsbName
    from bootstrap.needs import WayToAsk as WayToAsk
    from bootstrap.pins.edge import Edge as Edge
    from bootstrap.streams import ChildProcess as ChildProcess
    from bootstrap.streams import Frames as Frames
    from bootstrap.streams import Serial as Serial
    from bootstrap.streams import StreamHandle as StreamHandle
    from bootstrap.streams import Tcp as Tcp
    from bootstrap.sysfs import disk_used as disk_used
    from bootstrap.sysfs import first_number as first_number
    from bootstrap.sysfs import hexadecimal as hexadecimal
    from bootstrap.sysfs import kibibytes as kibibytes
    from bootstrap.sysfs import memory_used as memory_used
    from bootstrap.sysfs import millis as millis
    from bootstrap.sysfs import missing as missing
    from bootstrap.sysfs import present as present

# The module of each name, in the order of docs/API.md.
HOMES = {
    "Device": "bootstrap.device",
    "Contact": "bootstrap.contact",
    "Measure": "bootstrap.device",
    "Value": "bootstrap.device",
    "Reading": "bootstrap.device",
    "Edge": "bootstrap.pins.edge",
    "NoReading": "bootstrap.errors",
    "Gateway": "bootstrap.gateway",
    "Adopted": "bootstrap.gateway",
    # Settings.
    "Pin": "bootstrap.needs",
    "Input": "bootstrap.needs",
    "Output": "bootstrap.needs",
    "TimedOutput": "bootstrap.needs",
    "I2CBus": "bootstrap.needs",
    "I2CAddress": "bootstrap.needs",
    "SpiDevice": "bootstrap.needs",
    "SerialPort": "bootstrap.needs",
    "SerialBus": "bootstrap.needs",
    "ModbusAddress": "bootstrap.needs",
    "UsbName": "bootstrap.needs",
    "OneWireBulk": "bootstrap.needs",
    "OneWireFolder": "bootstrap.needs",
    "OneWireDevice": "bootstrap.needs",
    "Sysfs": "bootstrap.needs",
    "Host": "bootstrap.needs",
    "ServerUrl": "bootstrap.needs",
    "PageUrl": "bootstrap.needs",
    "TopicFilter": "bootstrap.needs",
    "Target": "bootstrap.needs",
    "Program": "bootstrap.needs",
    "WayToAsk": "bootstrap.needs",
    "PowerAction": "bootstrap.needs",
    "DebianPackage": "bootstrap.needs",
    "Seconds": "bootstrap.device",
    "Limits": "bootstrap.limits",
    "host_name": "bootstrap.device",
    # What a type of one's own declares.
    "Declares": "bootstrap.needs",
    "GpioLine": "bootstrap.needs",
    "DeviceNode": "bootstrap.needs",
    "UsbDevice": "bootstrap.needs",
    "BusAddress": "bootstrap.needs",
    "NetworkHost": "bootstrap.needs",
    "Listened": "bootstrap.needs",
    "Told": "bootstrap.needs",
    "ChildProgram": "bootstrap.needs",
    "IcmpEcho": "bootstrap.needs",
    "PowerSwitch": "bootstrap.needs",
    "PwmSource": "bootstrap.needs",
    # Commands.
    "takes": "bootstrap.device",
    "Takes": "bootstrap.device",
    "Json": "bootstrap.contract.payload",
    "only": "bootstrap.contract.commands",
    "seconds": "bootstrap.contract.commands",
    "Refused": "bootstrap.errors",
    # What the kernel tells of the machine, in text files above all.
    "millis": "bootstrap.sysfs",
    "first_number": "bootstrap.sysfs",
    "hexadecimal": "bootstrap.sysfs",
    "kibibytes": "bootstrap.sysfs",
    "memory_used": "bootstrap.sysfs",
    "disk_used": "bootstrap.sysfs",
    "present": "bootstrap.sysfs",
    "missing": "bootstrap.sysfs",
    # While it runs.
    "Context": "bootstrap.device",
    "Timer": "bootstrap.eventloop.loop",
    "Kept": "bootstrap.device",
    "Heard": "bootstrap.contract.heard",
    "Silence": "bootstrap.contract.heard",
    "ListeningHandle": "bootstrap.contract.heard",
    "ChildProcess": "bootstrap.streams",
    "Serial": "bootstrap.streams",
    "Tcp": "bootstrap.streams",
    "Frames": "bootstrap.streams",
    "StreamHandle": "bootstrap.streams",
    "ReceivedMessage": "bootstrap.contract.subscription",
    "OnBatch": "bootstrap.contract.subscription",
    "SubscriptionHandle": "bootstrap.contract.subscription",
}
__all__ = [*HOMES]  # noqa: PLE0604 - they are text


if not TYPE_CHECKING:  # otherwise any name at all would have a type

    def __getattr__(name: str) -> object:
        """Load a name of the surface from its module; from then on it is an attribute like any other."""
        if name not in HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - not even this is loaded before

        found = globals()[name] = getattr(import_module(HOMES[name]), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
