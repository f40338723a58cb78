"""Where a parent's objects lie in memory, arranged so that the processes forked from it write to few shared pages.

By `benchmarks/memory.py`, in MiB a thermometer of twenty: neither 6.9, gaps filled 6.8, code packed 6.4, both 6.3.
"""

import gc
import sys
from collections.abc import Collection
from types import CodeType, FunctionType

POOL_BYTES = 16384  # CPython's allocator divides such a pool among objects of one size (Objects/obmalloc.c, 3.10 on)
SIZES = range(48, 513, 16)  # of the objects it allocates in pools, from that of the shortest bytes
MOST = 100_000  # objects of one size, should the allocator of another Python never seem to begin a pool

_originals: list[CodeType] = []
_fillers: list[bytes] = []


def pack(used: Collection[CodeType]) -> None:
    """Copy the code of every function in `used`, one after the other, and make the functions run the copies.

    CPython rewrites the code that it runs (PEP 659) and counts references in it. Scattered over all pages of a program,
    that leaves little to share.
    """
    functions = [thing for thing in gc.get_objects() if isinstance(thing, FunctionType) and thing.__code__ in used]
    _originals.extend(used)  # kept alive, or the copies would fill the gaps that they leave
    for function in functions:
        function.__code__ = _copied(function.__code__)


def _copied(code: CodeType) -> CodeType:
    """Return a copy of `code`, including the lambdas and inner functions in it."""
    parts = (_copied(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=tuple(parts))


def fill_gaps() -> None:
    """Fill the gaps that freed objects have left: a child's first objects would each go into another shared page."""
    for size in SIZES:
        _fillers.extend(_fill_gaps_of(size))


def _fill_gaps_of(size: int) -> list[bytes]:
    """Return so many objects of this size that the allocator has begun a new pool, which is left empty."""
    made: list[bytes] = []
    a_pool = POOL_BYTES // size - 4  # objects; some room is its header
    in_a_row = 0
    while in_a_row < a_pool and len(made) < MOST:
        made.append(bytes(size - sys.getsizeof(b"")))
        in_a_row = in_a_row + 1 if id(made[-1]) - id(made[-2:][0]) == size else 0
    return made[: -in_a_row or None]
