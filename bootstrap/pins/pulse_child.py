"""Send pulses on a line that was inherited: a process of its own, as other threads would make them late.

It imports only what is needed to begin soon.

Arguments: how a level is set (`gpio`, a request of one line of the kernel's; `file`, a simulated line), its descriptor,
and the descriptor of the line's trace or -1. Standard input: one JSON object. Standard output: another one. When its
standard input ends, so does it; it always leaves the line low.
"""

import fcntl
import gc
import json
import os
import select
import signal
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

SET_VALUES = 0xC010B40F  # GPIO_V2_LINE_SET_VALUES_IOCTL
LOW, HIGH = array("Q", (0, 1)), array("Q", (1, 1))  # levels of the request's lines, and which of them are meant
WIDTH = 12  # of what the holder of a simulated line writes
SLEEP_OVER_NS, AWAKE_NS = 2_000_000, 1_000_000  # longer waits are slept through but for the last part

SetLevel = Callable[[int], object]


def setter(how: str, descriptor: int) -> SetLevel:
    """Return what sets the level of the line."""
    if how == "gpio":
        each = LOW.tobytes(), HIGH.tobytes()
        return lambda level: fcntl.ioctl(descriptor, SET_VALUES, each[level])
    words = b"0".ljust(WIDTH), b"1".ljust(WIDTH)
    return lambda level: os.pwrite(descriptor, words[level], 0)


def send(set_level: SetLevel, durations: Sequence[int]) -> list[int]:
    """Send one frame. Returns when each of its edges was made, and when it was over, in nanoseconds (monotonic).

    Each edge is due at a time counted from the first one, so that errors do not add up.
    """
    now = time.monotonic_ns
    done = []
    due, level = now(), 1
    for duration in durations:
        set_level(level)
        done.append(now())
        due = (done[0] if len(done) == 1 else due) + 1000 * duration
        level ^= 1
        if 1000 * duration > SLEEP_OVER_NS:
            time.sleep(max(0, due - AWAKE_NS - now()) / 1e9)
        while now() < due:
            pass
    return [*done, now()]


def errors_us(durations: Sequence[int], edges: Sequence[int]) -> list[float]:
    """Return by how much each duration but the last, the gap, was wrong, in microseconds."""
    lengths = [(after - before) / 1000 for before, after in pairwise(edges)]
    return [abs(length - wanted) for length, wanted in zip(lengths[:-1], durations, strict=False)]


def in_real_time() -> bool:
    """Ask the kernel to let nobody else take this processor meanwhile. Returns whether it does."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    return True


def wanted_no_more() -> bool:
    """Return whether standard input has ended: whoever wanted this sent is gone."""
    return bool(select.select([0], [], [], 0)[0])


def transmit(set_level: SetLevel, request: dict[str, Any], trace: int) -> dict[str, object]:
    """Send a frame until as many repeats were exact as are wanted, or `most` were sent."""
    durations, wanted = request["durations"], request["repeats"]
    exact, on_air = 0, 0
    worst: list[float] = []
    while exact < wanted and len(worst) < request["most"] and not wanted_no_more():
        edges = send(set_level, durations)
        wrong = max(errors_us(durations, edges))
        worst.append(wrong)
        exact += wrong <= request["tolerance_us"]
        on_air += (edges[-2] - edges[0]) // 1000
        if trace >= 0:
            os.write(trace, b"".join(b"%d %d\n" % (edge, 1 - at % 2) for at, edge in enumerate(edges[:-1])))
    return {"sent": len(worst), "exact": exact, "worst_us": worst, "on_air_us": on_air}


def main(how: str, descriptor: str, trace: str) -> None:
    """Send what standard input asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gc.disable()
    set_level = setter(how, int(descriptor))
    request = json.loads(sys.stdin.buffer.readline())
    real_time = in_real_time()
    try:
        report = transmit(set_level, request, int(trace))
    finally:
        set_level(0)
    sys.stdout.write(json.dumps({**report, "real_time": real_time}))


if __name__ == "__main__":
    main(*sys.argv[1:])
