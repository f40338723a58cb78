"""Fuzz one target.

With atheris the mutations are led by the code they reach; where it has no wheel, or with --random, they are blind, and
what is measured instead is growth. What fails is kept, and named at the end.
"""

import argparse
import contextlib
import ctypes
import gc
import importlib.util
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

HAVE_ATHERIS = importlib.util.find_spec("atheris") is not None
HANG_S = 10
LARGEST = 70_000  # bytes: a little more than any limit of ours
MEMORY_MB = 1024
GROWTH_MB = 8.0  # between a tenth of the time and its end
ROOM = 64  # bytes that one mutation may add
PIECES = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\n",
    b'"',
    b"'''",
    b"[",
    b"{",
    b"]]",
    b"=",
    b"/",
    b"1e400",
    b"NaN",
    b"\\ud8",
)


def main() -> None:
    """As the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?", help="without one they are listed")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, help="at the most; default: as many as there is time for")
    parser.add_argument("--random", action="store_true", help="blindly, though atheris is there")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--keep", type=Path, help="where to keep what fails, and what atheris has learned")
    given = parser.parse_args()
    guided = HAVE_ATHERIS and not given.random
    targets = _targets(guided=guided and given.target is not None)
    if given.target is None:
        print(*targets)
        return
    keep = given.keep or Path(".fuzz", given.target)
    keep.mkdir(parents=True, exist_ok=True)
    (led if guided else at_random)(targets[given.target], keep, given)


def _targets(*, guided: bool) -> dict[str, Any]:
    """Their code instrumented, if atheris is to lead."""
    instrumented = contextlib.nullcontext()
    if guided:
        atheris = importlib.import_module("atheris")
        instrumented = atheris.instrument_imports(include=["bootstrap", "daemons", "penates", "tomllib"])
    with instrumented:
        found: dict[str, Any] = importlib.import_module("targets").TARGETS
    return found


def led(target: Any, keep: Path, given: argparse.Namespace) -> None:
    """By what is reached. Does not return: libFuzzer ends the process, with 0 if all went well."""
    atheris = importlib.import_module("atheris")
    seeds = Path(tempfile.mkdtemp(prefix="seeds-"))
    for number, seed in enumerate(target.seeds()):
        (seeds / str(number)).write_bytes(seed)
    limits = {
        "max_total_time": given.seconds,
        "runs": -1 if given.runs is None else given.runs,
        "seed": given.seed,
        "timeout": HANG_S,
        "rss_limit_mb": MEMORY_MB,
        "max_len": LARGEST,
        "len_control": 0,  # long ones from the start
        "artifact_prefix": f"{keep}/failed-",
        "print_final_stats": 1,
    }
    learned = keep / "learned"
    learned.mkdir(exist_ok=True)
    options = (f"-{name}={value}" for name, value in limits.items())

    def mutate(data: bytes, limit: int, number: int) -> bytes:
        """Mostly libFuzzer's own way; but it hardly comes upon thousands of brackets or digits in a row."""
        chance = random.Random(number)
        usual = min(limit, len(data) + ROOM)
        return mutant(chance, [data])[:limit] if chance.random() < 0.05 else atheris.Mutate(data, usual)

    arguments = [sys.argv[0], str(learned), str(seeds), *options]
    atheris.Setup(arguments, target.check, custom_mutator=mutate)
    atheris.Fuzz()


def at_random(target: Any, keep: Path, given: argparse.Namespace) -> None:
    """Blindly; ends with 1 if it grows."""
    print(f"no atheris (blind, seed {given.seed})" if not HAVE_ATHERIS else f"blind, seed {given.seed}")
    chance = random.Random(given.seed)
    seeds = target.seeds()
    signal.signal(signal.SIGALRM, _hung)
    began, early_mb, number = time.monotonic(), 0.0, 0
    for number in itertools.count(1):
        done = max((time.monotonic() - began) / given.seconds, number / (given.runs or float("inf")))
        early_mb = early_mb or (rss_mb() if done >= 0.1 else 0.0)
        if done >= 1:
            break
        _try(target, keep, mutant(chance, seeds))
    late_mb = rss_mb()
    print(f"{number} runs; {early_mb:.1f} MB after a tenth, {late_mb:.1f} MB at the end")
    sys.exit(late_mb - early_mb > GROWTH_MB)


def _try(target: Any, keep: Path, data: bytes) -> None:
    signal.alarm(HANG_S)
    try:
        target.check(data)
    except BaseException:
        file = keep / f"failed-{hash(data) & 0xFFFFFFFF:08x}"
        file.write_bytes(data)
        print(f"failed: {file}: {data[:200]!r}")
        raise
    finally:
        signal.alarm(0)


def _hung(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TimeoutError(f"no end in {HANG_S} s")


def mutant(chance: random.Random, seeds: list[bytes]) -> bytes:
    """A seed, some of it cut out, doubled, replaced, or crossed with another; now and then something large."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        start, length = chance.randint(0, len(data)), chance.choice((0, 1, 1, 2, 8, 64))
        piece = chance.choice(
            (*PIECES, bytes([chance.randrange(256)]), chance.choice(seeds), bytes(data[start : start + 64]))
        )
        times = chance.randint(2, 6000) if chance.random() < 0.01 else 1
        data[start : start + length] = (piece * min(times, LARGEST // max(1, len(piece)) + 1))[:LARGEST]
    return bytes(data[:LARGEST])


def rss_mb() -> float:
    """Of this process, in megabytes, without what it has freed (as far as the C library can give it back)."""
    gc.collect()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
