"""A Modbus slave that others have written, in a process of its own: `pymodbus_server.py PORT`, or without one by TCP.

It prints the number of its TCP port, or 0, once it can be asked.
"""

import asyncio
import sys
from typing import Any

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

DEVICE = SimDevice(
    id=7,
    simdata=(
        [SimData(0, values=[True, False, True], datatype=DataType.BITS)],
        [SimData(0, values=[False, True], datatype=DataType.BITS)],
        [SimData(10, values=[-5], datatype=DataType.INT16), SimData(11, values=[70_000], datatype=DataType.UINT32)],
        [SimData(0, values=[230.2], datatype=DataType.FLOAT32), SimData(2, values=[-1], datatype=DataType.INT64)],
    ),
)


async def serve(port: str) -> None:
    server = (
        ModbusSerialServer([DEVICE], framer=FramerType.RTU, port=port, baudrate=9600)
        if port
        else ModbusTcpServer([DEVICE], address=("127.0.0.1", 0))
    )
    await server.serve_forever(background=True)
    listening: Any = server.transport  # asyncio's server, which has no type in pymodbus
    sys.stdout.write(f"{0 if port else listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(serve(*sys.argv[1:2] or [""]))
