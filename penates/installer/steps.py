"""What is done to a machine, step by step: the same list is shown beforehand and then done."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bootstrap.supervisor.control_socket import Unavailable
from penates.files.planned_file import Planned

LAST_LINES = 8  # of what a command said before it failed


class Step(Protocol):
    """One thing to do. `str()` says what, in one line."""

    def needed(self) -> str:
        """Why it is to be done; nothing if it is so already."""

    def do(self) -> None:
        """Make it so.

        Raises:
            OSError, LookupError, Unavailable: it cannot be done.
        """


@dataclass(frozen=True)
class Write:
    """A file or a folder."""

    planned: Planned

    def __str__(self) -> str:
        """What it is, and who may read it."""
        one = self.planned
        kind = "make folder" if one.content is None else "write"
        return f"{kind} {one.path} ({one.owner}:{one.group} {one.mode:o})"

    def needed(self) -> str:
        """As the plan says."""
        return self.planned.differs

    def do(self) -> None:
        """As the plan says."""
        self.planned.write()


@dataclass(frozen=True)
class Remove:
    """A file, a link or a folder with all that is in it."""

    path: Path

    def __str__(self) -> str:
        """Which."""
        return f"remove {self.path}"

    def needed(self) -> str:
        """Whether it is there."""
        return "there" if os.path.lexists(self.path) else ""

    def do(self) -> None:
        """A folder that is a link goes as a link."""
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class LinkStep:
    """A name for something that is elsewhere."""

    path: Path
    target: Path

    def __str__(self) -> str:
        """From where to where."""
        return f"link {self.path} to {self.target}"

    def needed(self) -> str:
        """Unless it leads there already."""
        return "" if self.path.is_symlink() and self.path.readlink() == self.target else "new"

    def do(self) -> None:
        """What is there of that name and no link is somebody else's."""
        if os.path.lexists(self.path) and not self.path.is_symlink():
            raise Unavailable(f"{self.path} is there and not ours; move it away")
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(self.target)


@dataclass(frozen=True)
class CommandStep:
    """Another program.

    Attributes:
        words: as it is called.
        because: says why it is needed, or nothing.
        must: whether its failure ends everything.
        done: called after it has succeeded.
    """

    words: Sequence[str]
    because: Callable[[], str]
    must: bool = True
    done: Callable[[], None] = field(default=lambda: None, repr=False)

    def __str__(self) -> str:
        """As a shell would take it."""
        return shlex.join(self.words)

    def needed(self) -> str:
        """As it was told."""
        return self.because()

    def do(self) -> None:
        """What it says is of interest only if it fails."""
        env = {**os.environ, "PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        try:
            ran = subprocess.run(self.words, check=False, capture_output=True, text=True, errors="replace", env=env)  # noqa: S603
        except FileNotFoundError:
            raise Unavailable(f"there is no program {self.words[0]!r} on this machine") from None
        if ran.returncode:
            said = "\n".join((ran.stdout + ran.stderr).splitlines()[-LAST_LINES:])
            if self.must:
                raise Unavailable(f"{self} failed:\n{said}")
            print(f"      {said}")
        else:
            self.done()


PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def program(name: str) -> str | None:
    """Where a program is, those of root included."""
    return shutil.which(name, path=PATH)


def follows(*steps: Step, undone: str = "") -> Callable[[], str]:
    """Needed if one of these is; or if `undone`, because an earlier run did not come so far."""
    return lambda: undone or next((f"after {step}" for step in steps if step.needed()), "")


def writes(planned: Iterable[Planned]) -> list[Write]:
    """A step for each, each once."""
    return [Write(one) for one in {one.path: one for one in planned}.values()]


def carry_out(steps: Iterable[Step], begin: Callable[[], None], *, dry: bool) -> int:
    """Show each step that is needed, and do it unless `dry`; returns how many there were.

    All are asked before the first is done, and before `begin`: what follows from another is known then.
    """
    todo = [(step, why) for step in steps if (why := step.needed())]
    if todo and not dry:
        begin()
    for number, (step, why) in enumerate(todo, 1):
        reason = f"  [{why}]" if why in ("new", "changed", "mode or owner") else ""
        print(f"{number:3}/{len(todo)} {step}{reason}", flush=True)
        if not dry:
            step.do()
    return len(todo)
