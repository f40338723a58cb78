"""A child process whose output the loop reads: its start, its end with the reason, and that it never outlives us."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from bootstrap.child_life import LAST_WORDS, OURS, ending, killed_with_us, last_line
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.logs import log
from bootstrap.runtime.streams.pipe import LoopPipe
from bootstrap.streams import ChildProcess

LAST_WORDS_S = 5.0  # from the line that says why it ends until it is killed
TERM_S = 1.0  # until a child that was asked to end is killed
REAP_S = 1.0  # until one that was killed is given up: the kernel may not let it go
AT_ONCE = 16  # reads of its standard error in one turn of the loop: a full pipe


class ChildChannel:
    """A running child: its output, its standard input, and its last words."""

    def __init__(
        self,
        loop: Loop,
        source: ChildProcess,
        on_bytes: Callable[[bytes], None],
        on_end: Callable[[str], None],
    ) -> None:
        """Start it. Call `on_bytes` with what it prints, and once `on_end` with how it ended.

        Raises:
            OSError: it cannot be started.
        """
        self._loop, self._on_bytes, self._on_end = loop, on_bytes, on_end
        lifeline, self._life = os.pipe2(os.O_CLOEXEC)
        try:
            self._child = _start(source.command, lifeline)
            killed_with_us(self._child.pid, lifeline)
        except BaseException:
            os.close(self._life)
            raise
        finally:
            os.close(lifeline)
        self._exit = os.pidfd_open(self._child.pid)
        loop.add_reader(self._exit, self._exited)
        self._errors = _take(self._child.stderr)
        self._words, self._last_words, self._reason = b"", source.last_words, ""
        os.set_blocking(self._errors, False)
        loop.add_reader(self._errors, self._complained)
        output, entry = _take(self._child.stdout), _take(self._child.stdin)
        self.pipe = LoopPipe(loop, (output, entry), self._printed, self._fell_silent)
        self._silent = self._stopping = self._told = self._prints = False
        self._patience_ends = 0.0
        self._timer: Timer | None = None

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group, too."""
        return self._child.pid

    # Its end.

    def _printed(self, output: bytes) -> None:
        self._prints = True
        self._on_bytes(output)

    def _complained(self, _events: int) -> None:
        """Keep the end of what it prints to standard error."""
        with suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                if not (words := os.read(self._errors, 4096)):
                    self._loop.remove_reader(self._errors)
                    return
                self._words += words
                if self._last_words and not self._reason:
                    self._look_for_reason(self._last_words)
                self._words = self._words[-LAST_WORDS:]

    def _look_for_reason(self, last_words: re.Pattern[str]) -> None:
        """Keep the first line that says why it ends, and give it a moment to do so."""
        lines = self._words.decode(errors="replace").splitlines(keepends=True)
        whole = (line.strip() for line in lines if line.endswith("\n"))
        self._reason = next(filter(last_words.search, whole), "")
        if self._reason and self._timer is None and not self._stopping:
            self._timer = self._loop.call_later(LAST_WORDS_S, self._hurry)

    def _fell_silent(self, _error: OSError | None) -> None:
        """It has closed its output: it has ended, or it must, because nothing more can come."""
        self._silent = True
        self._tell_end()

    def _exited(self, _events: int) -> None:
        """Kill what is left of its group before it is reaped: until then no other process can have its id."""
        self._loop.remove_reader(self._exit)
        self._signal(signal.SIGKILL)
        self._child.wait()
        if self._stopping:
            self.finish()
        else:
            self._tell_end()

    def _tell_end(self) -> None:
        """Tell of the end once all output is read and it has exited. The one that is missing gets a moment."""
        if self._stopping or self._told:
            return
        ended = self._child.returncode is not None
        if ended and self._silent:
            self._told = True
            self._complained(0)
            self._on_end(self._why)
        elif self._timer is None:
            self._timer = self._loop.call_later(TERM_S, self._hurry)

    def _hurry(self) -> None:
        """End what has not ended: a child that prints no more, or output that one of its children still holds."""
        self._timer = None
        if self._child.returncode is None:
            self._signal(signal.SIGKILL)
        elif not self._prints and not self.pipe.paused:
            self._silent = True
        self._prints = False
        self._tell_end()

    @property
    def _why(self) -> str:
        return ending(self._child.returncode, self._reason or last_line(self._words))

    # Stopping it.

    def _signal(self, number: int) -> None:
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)

    def stop(self) -> None:
        """Ask it to end, and read no more. It is killed if it has not ended after `TERM_S`."""
        if not self._stopping:
            self._stopping = True
            self.pipe.close()
            self._loop.remove_reader(self._errors)
            os.close(self._errors)
            self._signal(signal.SIGTERM)
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(TERM_S, lambda: self._signal(signal.SIGKILL))
            self._patience_ends = time.monotonic() + TERM_S

    @property
    def finished(self) -> bool:
        """Whether it has ended and been released."""
        return self._exit < 0

    def finish(self) -> None:
        """Wait until it has ended after `stop`, kill it if need be, and release what is left."""
        if self._exit < 0:
            return
        if self._child.returncode is None:
            self._await_exit(max(0.0, self._patience_ends - time.monotonic()))
        if self._exit < 0:  # which was noticed by waiting
            return
        self._loop.remove_reader(self._exit)
        os.close(self._exit)
        os.close(self._life)
        self._exit = -1
        if self._timer is not None:
            self._timer.cancel()

    def _await_exit(self, patience_s: float) -> None:
        for number, wait_s in ((0, patience_s), (signal.SIGKILL, REAP_S)):
            if number:
                self._signal(number)
            if select.select([self._exit], [], [], wait_s)[0]:
                self._exited(0)
                return
        log.warning("a child does not end", pid=self._child.pid)
        self._child.returncode = -signal.SIGKILL  # its end is no longer ours to await


def _start(command: Sequence[str], lifeline: int) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603 - the device's own program, without a shell
        [*command],
        bufsize=0,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment,
        pass_fds=[lifeline],
        start_new_session=True,
    )


def _take(file: object) -> int:
    """Return a descriptor of its own for a file of `Popen`, which is closed."""
    with file as opened:  # type: ignore[attr-defined]
        return os.dup(opened.fileno())
