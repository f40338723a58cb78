"""The clock of a unit that may not ask the kernel."""

import subprocess
import sys

DENIED = """
import ctypes, platform, struct, time
from bootstrap.contract import timestamps
calls = {"x86_64": (159, 305), "aarch64": (171, 266), "armv7l": (124, 372, 405)}[platform.machine()]
refuse = struct.pack("HBBI", 0x06, 0, 0, 0x0005_0001)  # EPERM
test = [struct.pack("HBBI", 0x15, 0, 1, call) + refuse for call in calls]
steps = struct.pack("HBBI", 0x20, 0, 0, 0) + b"".join(test) + struct.pack("HBBI", 0x06, 0, 0, 0x7FFF_0000)
held = ctypes.create_string_buffer(steps)
program = ctypes.create_string_buffer(struct.pack("HP", len(steps) // 8, ctypes.addressof(held)))
prctl = ctypes.CDLL(None).prctl
assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
kept = timestamps.Clock(known=time.time() + 1000)
print(timestamps.synchronised(), kept.unsure, kept.hold_s())
"""


def test_a_unit_that_may_not_ask_the_kernel_takes_the_clock_for_unset() -> None:
    """SystemCallFilter= with SystemCallErrorNumber=EPERM, by the kernel's own means (seccomp(2))."""
    asked = subprocess.run([sys.executable, "-c", DENIED], capture_output=True, text=True, timeout=120, check=True)
    assert asked.stdout.split() == ["False", "True", "1.0"]
