"""Packing code objects together in memory, so that the processes that run them write to few shared pages."""

import gc
from collections.abc import Collection
from types import CodeType, FunctionType

_originals: list[CodeType] = []


def pack(used: Collection[CodeType]) -> None:
    """Copy the code of every function in `used`, one after the other, and make the functions run the copies.

    CPython rewrites the code that it runs (PEP 659) and counts references in it. Scattered over all pages of a program,
    that leaves little to share. `benchmarks/memory.py 20`, with and without: TODO
    """
    functions = [thing for thing in gc.get_objects() if isinstance(thing, FunctionType) and thing.__code__ in used]
    _originals.extend(used)  # kept alive, or the copies would fill the gaps that they leave
    for function in functions:
        function.__code__ = _copied(function.__code__)


def _copied(code: CodeType) -> CodeType:
    """Return a copy of `code`, including the lambdas and inner functions in it."""
    parts = (_copied(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=tuple(parts))
