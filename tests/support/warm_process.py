"""The warm process: warm_process.py DESCRIPTOR ROOM. It forks at each request on this socket; see warm.py."""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import platform
import runpy
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import coverage

PACKAGES = ("bootstrap", "daemons", "penates")
PROGRAM = "penates.__main__"  # runs as the program, so it is imported by none before
ALSO = ("gpiozero", "paho.mqtt.client", "zmq")
COLD = ("influxdb_client", "matplotlib", "numpy")  # large, used by few, and numpy starts threads
STANDARD = (0, 1, 2)
LARGEST = 200_000
CLONE_PARENT = 0x00008000  # whoever asked is the parent, and can wait for it
CLONE_NEWNET = 0x40000000
SYS_CLONE = 220 if platform.machine() == "aarch64" else 120 if platform.machine().startswith("arm") else 56
PLACES = 48 - 4  # of the places of arguments and environment among the numbers of /proc/PID/stat: proc(5)


def warm_up() -> None:
    """Import all that the processes may use, but for what imports something cold."""
    sys.modules.update(dict.fromkeys(COLD))  # type: ignore[arg-type]  # by None their import fails
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if module.name != PROGRAM:
                with contextlib.suppress(ImportError):
                    importlib.import_module(module.name)
    for name in ALSO:
        importlib.import_module(name)
    for name in COLD:
        del sys.modules[name]
    if measuring := coverage.Coverage.current():
        measuring.save()  # what the imports have run, so that it is not saved again by each that is forked
    gc.collect()
    gc.freeze()
    threads = [*Path("/proc/self/task").iterdir()]
    assert len(threads) == 1, "another thread would be missing after the fork"


def fork() -> int:
    """Fork like os.fork(), but for the parent."""
    python = ctypes.PyDLL(None, use_errno=True)
    python.PyOS_BeforeFork()
    pid: int = python.syscall(SYS_CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    return pid


def become(request: dict[str, Any]) -> None:
    """Be what was asked for, in all that others see of a process."""
    streams, network = request["streams"], request["network"]
    if os.fstat(network).st_ino != Path("/proc/self/ns/net").stat().st_ino:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(network, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    for standard, stream in zip(STANDARD, streams, strict=True):
        os.dup2(stream, standard)
    for descriptor in (*streams, network):
        os.close(descriptor)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]  # it is a file
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    show([sys.executable, *request["program"]])


def show(command: list[str]) -> None:
    """Write a command line and the environment where /proc shows those of a process."""
    fields = [int(field) for field in Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[1:]]
    start, end, env_start, env_end = fields[PLACES : PLACES + 4]
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        for words, first, last in (
            (command, start, end),
            ([f"{name}={value}" for name, value in os.environ.items()], env_start, env_end),
        ):
            text = b"".join(word.encode() + b"\0" for word in words)
            assert len(text) < last - first, "there is no room for it"
            memory.seek(first)
            memory.write(text.ljust(last - first, b"\0"))


def run(program: list[str]) -> None:
    """Run as `python PROGRAM…` does."""
    if program[0] == "-m":
        sys.argv = program[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        sys.path[0] = str(Path(program[0]).parent)
        runpy.run_path(program[0], run_name="__main__")


def wanted(asked: socket.socket) -> dict[str, Any]:
    """Return, in a new process, what that is to be; in this one, an empty request at the end."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(asked, LARGEST, len(STANDARD) + 1)
        if not text:
            return {}
        pid = fork()
        if pid == 0:
            return {**json.loads(text), "streams": descriptors[:-1], "network": descriptors[-1]}
        asked.send(str(pid).encode())
        for descriptor in descriptors:
            os.close(descriptor)


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        warm_up()
        request = wanted(asked)
    if request:
        become(request)
        run(request["program"])


if __name__ == "__main__":
    main()
