"""What lies where in a parent's memory, so that its children share most of it."""

import subprocess
import sys

import pytest

COUNT_IN_GAPS = """
from bootstrap.supervisor.memory_layout import POOL_BYTES, fill_gaps

def pool(thing): return id(thing) // POOL_BYTES

objects = [bytes(67) for _ in range(50_000)]
old = set(map(pool, objects))
del objects[::2]
{prepare}
new = [bytes(67) for _ in range(100)]
print(sum(pool(one) in old for one in new))
"""


@pytest.mark.parametrize(("prepare", "expected"), [("fill_gaps()", 0), ("", 100)])
def test_new_objects_do_not_go_between_old_ones(prepare: str, expected: int) -> None:
    script = COUNT_IN_GAPS.format(prepare=prepare)
    counted = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert int(counted.stdout) == expected
