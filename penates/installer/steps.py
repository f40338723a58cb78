"""The steps of an installation: the list that is shown beforehand is the one that is carried out."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bootstrap.errors import Exit
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.output import counted
from penates.files.planned_file import Planned

LAST_LINES = 8  # of a failed command's output


class Step(Protocol):
    """One thing to do; `str()` describes it in one line."""

    def needed(self) -> str:
        """Return why it must be done; empty if there is nothing to do."""

    def do(self) -> None:
        """Carry it out.

        Raises:
            OSError, LookupError, Unavailable: it cannot be done.
        """


@dataclass(frozen=True)
class Write:
    """Writes a file, or makes a folder."""

    planned: Planned

    def __str__(self) -> str:
        """Return what is written, and who may read it."""
        one = self.planned
        kind = "make folder" if one.content is None else "write"
        return f"{kind} {one.path} ({one.owner}:{one.group} {one.mode:o})"

    def needed(self) -> str:
        """Return how the file differs from the plan."""
        return self.planned.differs

    def do(self) -> None:
        """Write the file, or make the folder."""
        self.planned.write()


@dataclass(frozen=True)
class Remove:
    """Removes a file, a link, or a folder with everything in it."""

    path: Path

    def __str__(self) -> str:
        """Return what is removed."""
        return f"remove {self.path}"

    def needed(self) -> str:
        """Return `there` if it exists."""
        return "there" if os.path.lexists(self.path) else ""

    def do(self) -> None:
        """Remove it; if it is a link to a folder, only the link."""
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class LinkStep:
    """Makes a symbolic link."""

    path: Path
    target: Path

    def __str__(self) -> str:
        """Return both ends of the link."""
        return f"link {self.path} to {self.target}"

    def needed(self) -> str:
        """Return `new` unless the link already leads there."""
        return "" if self.path.is_symlink() and self.path.readlink() == self.target else "new"

    def do(self) -> None:
        """Make the link. Only another link is replaced: anything else of that name is not ours."""
        if os.path.lexists(self.path) and not self.path.is_symlink():
            raise Unavailable(f"{self.path} exists and is not ours; move it away")
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(self.target)


@dataclass(frozen=True)
class CommandStep:
    """Runs a program.

    Attributes:
        argv: the program and its arguments.
        because: returns why it must be run, or an empty string.
        must: whether its failure ends the installation.
        moot: returns whether an earlier step has done this already, as it turns out when it is due.
        done: called after it has succeeded.
    """

    argv: Sequence[str]
    because: Callable[[], str]
    must: bool = True
    moot: Callable[[], bool] = field(default=lambda: False, repr=False)
    done: Callable[[], None] = field(default=lambda: None, repr=False)

    def __str__(self) -> str:
        """Return it as a shell command."""
        return shlex.join(self.argv)

    def needed(self) -> str:
        """Return the reason that `because` finds."""
        return self.because()

    def do(self) -> None:
        """Run the program, unless that is moot; its output is shown only if it fails."""
        if self.moot():
            return
        env = {**os.environ, "PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        try:
            ran = subprocess.run(self.argv, check=False, capture_output=True, text=True, errors="replace", env=env)  # noqa: S603
        except FileNotFoundError:
            raise Unavailable(f"there is no program {self.argv[0]!r} on this machine") from None
        if ran.returncode:
            output = "\n".join((ran.stdout + ran.stderr).splitlines()[-LAST_LINES:])
            if self.must:
                raise Unavailable(f"{self} failed:\n{output}")
            print(f"      {output}")
        else:
            self.done()


PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def program(name: str) -> str | None:
    """Return where a program is, looking in root's directories too."""
    return shutil.which(name, path=PATH)


def follows(*steps: Step, undone: str = "") -> Callable[[], str]:
    """Return a `because` that holds if one of these steps is needed, or if an earlier run left this one `undone`."""
    return lambda: undone or next((f"after {step}" for step in steps if step.needed()), "")


def writes(planned: Iterable[Planned]) -> list[Write]:
    """Return one step for each path; of several plans for one path the last counts."""
    return [Write(one) for one in {one.path: one for one in planned}.values()]


def carry_out(steps: Iterable[Step], begin: Callable[[], None], *, dry: bool) -> int:
    """Show each step that is needed, and do it unless `dry`; return how many there were.

    Every step is checked before `begin` and before the first is done: whether one is needed may depend on another.
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


def only_shown(count: int) -> Exit:
    """Say how many steps there are to do, at the end of a command with `--dry-run`; return its exit code."""
    print(f"{counted(count, 'step')} to do; nothing was changed")
    return Exit.STOPPED
