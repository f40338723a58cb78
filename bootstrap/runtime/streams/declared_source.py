"""Whether the source of a stream is what a setting of the device declares: its unit may not open anything else."""

from pathlib import Path

from bootstrap.device import Device
from bootstrap.errors import Exit, Fatal
from bootstrap.needs import ChildProgram, DeviceNode, NetworkHost, needs_of
from bootstrap.streams import Serial, Source, Tcp


def require_declared(device: Device, source: Source) -> None:
    """Do nothing if a setting of the device declares this source.

    Raises:
        Fatal: none does, which is an error in the kind (78).
    """
    needs = [need for _, need in needs_of(device)]
    if isinstance(source, Serial):
        paths = {need.path.resolve() for need in needs if isinstance(need, DeviceNode)}
        what, wanted, declared = "opened", "SerialPort", Path(source.path).resolve() in paths
    elif isinstance(source, Tcp):
        hosts = {need.host.lower() for need in needs if isinstance(need, NetworkHost)}
        what, wanted, declared = "connected to", "Host", source.host.lower() in hosts
    else:
        programs = {need.name for need in needs if isinstance(need, ChildProgram)}
        what, wanted, declared = "started", "Program", str(source.command[0]) in programs
    if not declared:
        where = f"in {type(device).__name__} the type of its setting must be {wanted}"
        raise Fatal(Exit.SETTINGS, f"{source} is {what}, but no setting declares it: {where}")
