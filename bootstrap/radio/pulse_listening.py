"""Hear pulses by rtl_433, as they are, and tell which of its decoders understand them."""

import json
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Self

from bootstrap.pins.pulse_frame import pairs
from bootstrap.radio.decoders import Decoder, in_program
from bootstrap.radio.pulse_learning import PAUSE_S, Press
from bootstrap.radio.receiver import NO_FILE, RadioInput

BLOCK = 65_536
DECODE_S = 30.0


class PulseListener:
    """An rtl_433 that decodes nothing, and writes what it hears as pulses. A context manager: it ends with it."""

    def __init__(self, program: str, source: RadioInput, frequency_mhz: float) -> None:
        """Start it.

        Raises:
            OSError: it cannot be run.
        """
        tuning = ["-f", f"{frequency_mhz:.9g}M"]
        command = [program, *NO_FILE, "-R", "0", *source.arguments, *tuning, "-w", "ook:-"]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 - no shell
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()

    def presses(self, limit_s: float) -> Iterator[Press]:
        """Yield each press once nothing was heard any more for a moment.

        Raises:
            TimeoutError: nothing more was heard for `limit_s` seconds.
            OSError: rtl_433 has ended; it says why.
        """
        assert self._child.stdout  # noqa: S101 - it is a pipe
        press, until = Press(), time.monotonic() + limit_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            while True:
                wait_s = PAUSE_S if press.durations else until - time.monotonic()
                if selector.select(max(0.0, wait_s)):
                    press.durations += self._heard()
                elif press.durations:
                    yield press
                    press, until = Press(), time.monotonic() + limit_s
                else:
                    raise TimeoutError(f"nothing was heard for {limit_s:g} s")

    def _heard(self) -> list[int]:
        """Return what has arrived, in microseconds; an end of the child is an OSError."""
        assert self._child.stdout  # noqa: S101 - it is a pipe
        read = self._child.stdout.read1(BLOCK)  # type: ignore[attr-defined]  # it is buffered
        if not read:
            raise OSError(self._last_words())
        *lines, self._rest = (self._rest + read).split(b"\n")
        return [number for line in lines for number in _numbers(line)]

    def _last_words(self) -> str:
        """Return what it said at its end."""
        assert self._child.stderr  # noqa: S101 - it is a pipe
        said = self._child.stderr.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(said) if line.strip()), "rtl_433 has ended")


def _numbers(line: bytes) -> tuple[int, ...]:
    """Return pulse and gap of a line; of one that is a remark, nothing."""
    with suppress(ValueError):
        pulse, gap = map(int, line.split())
        return pulse, gap
    return ()


def who_understands(program: str, presses: Sequence[Press]) -> list[Decoder]:
    """Return the decoders of rtl_433 that find something in presses, of all that it has.

    Raises:
        OSError: it cannot be run.
    """
    there = in_program(program)
    every = [word for number in there for word in ("-R", str(number))]
    command = [program, *NO_FILE, *every, "-r", "ook:-", "-F", "json", "-M", "protocol"]
    text = "".join(f"{pulse} {gap}\n" for press in presses for pulse, gap in pairs(press.durations)) + ";end\n"
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=DECODE_S, check=False)  # noqa: S603
    found = set[int]()
    for line in done.stdout.splitlines():
        with suppress(ValueError, KeyError, TypeError):
            found.add(int(json.loads(line)["protocol"]))
    return [decoder for number, decoder in there.items() if number in found]
