"""A program that is run to its end for what it prints."""

import errno
import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from typing import Self

from bootstrap.child_life import LAST_WORDS, ending, killed_with_us, last_line

MOST = 65_536  # bytes that a program may print
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
STARTS = {
    errno.ENOENT: "is not there: install it, or set its full path",
    errno.EACCES: "may not be executed by this user",
    errno.ENOEXEC: "is no program: a script begins with a line such as #!/bin/sh",
}


class ProgramRun:
    """Runs one program at a time, in a worker thread; `end` may be called from another one."""

    def __init__(self, command: Sequence[str], limit_s: float) -> None:
        """Kill the program, and all that it has started, if it has not ended after so many seconds."""
        self._command, self._limit_s = command, limit_s
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.Lock()

    def timed_output(self) -> tuple[str, float]:
        """Run the program, and return what it has printed, and the seconds that this took.

        Raises:
            OSError: it cannot be started, does not end in time, or ends with an error.
            ValueError: it prints too much, or no text.
        """
        name, began = Path(self._command[0]).name, time.monotonic()
        lifeline, life = os.pipe2(os.O_CLOEXEC)
        try:
            child = self._start(lifeline)
            killed_with_us(child.pid, lifeline)
            with _Output(child, self._limit_s) as heard:
                heard.listen(name)
        finally:
            self._kill()
            os.close(lifeline)
            os.close(life)
        if child.returncode:
            raise OSError(f"{name} {ending(child.returncode, heard.last_words)}")
        try:
            return heard.output.decode(), round(time.monotonic() - began, 3)
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} prints what is not UTF-8 text: {error.reason}") from None

    def _start(self, lifeline: int) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._ended:
                raise OSError("it is not run any more")
            try:
                self._child = subprocess.Popen(  # noqa: S603 - the owner's own program, without a shell
                    [*self._command],
                    bufsize=0,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd="/",
                    env=ENVIRONMENT,
                    pass_fds=[lifeline],
                    start_new_session=True,
                )
            except OSError as error:
                why = STARTS.get(error.errno or 0, error.strerror)
                raise OSError(error.errno, f"{self._command[0]} {why}") from None
            return self._child

    def _kill(self) -> None:
        """Kill what is left of its group before it is reaped: until then no other process can have its id."""
        with self._lock:
            if self._child is not None:
                _kill_group(self._child)
                self._child.wait()
                self._child = None

    def end(self) -> None:
        """Kill the program, if it runs, and run it no more."""
        with self._lock:
            self._ended = True
            if self._child is not None:
                _kill_group(self._child)


def _kill_group(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, SIGKILL)


class _Output:
    """What a child prints until it ends; its own children may then still hold the other ends."""

    def __init__(self, child: "subprocess.Popen[bytes]", limit_s: float) -> None:
        self._child, self._limit_s = child, limit_s
        self._exit = os.pidfd_open(child.pid)
        self.output = self._words = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._exit)
        for stream in (self._child.stdout, self._child.stderr):
            if stream:
                stream.close()

    @property
    def last_words(self) -> str:
        """The last line on its standard error; empty if there is none."""
        return last_line(self._words)

    def listen(self, name: str) -> None:
        """Take what it prints until it ends.

        Raises:
            TimeoutError: it does not end in time.
            ValueError: it prints too much.
        """
        until = time.monotonic() + self._limit_s
        streams = {one.fileno() for one in (self._child.stdout, self._child.stderr) if one}
        for one in streams:
            os.set_blocking(one, False)
        while True:
            ready = select.select([self._exit, *streams], [], [], max(0.0, until - time.monotonic()))[0]
            streams -= {one for one in ready if one != self._exit and not self._take(one)}
            if len(self.output) > MOST:
                raise ValueError(f"{name} prints more than {MOST} bytes, and was killed")
            if self._exit in ready and not streams & {*ready}:
                return
            if time.monotonic() >= until:
                raise TimeoutError(f"{name} has not ended after {self._limit_s:g} s; it was killed")

    def _take(self, stream: int) -> bool:
        """Take what has come; return whether there can be more."""
        try:
            found = os.read(stream, MOST)
        except BlockingIOError:
            return True
        if self._child.stdout and stream == self._child.stdout.fileno():
            self.output += found
        else:
            self._words = (self._words + found)[-LAST_WORDS:]
        return bool(found)
