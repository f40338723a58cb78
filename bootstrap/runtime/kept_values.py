"""Small values of a device that survive a restart and a power cut: a meter's count, the state of a lock."""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, cast

from bootstrap.config.model import SensorSettings
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.topics import ID_RULE, is_id
from bootstrap.errors import Refused, reason
from bootstrap.eventloop.loop import Timer
from bootstrap.logs import log
from bootstrap.outbox.folder import outbox_folder
from bootstrap.paths import read_own, rewrite
from bootstrap.runtime.kept_copy import KeptCopy
from bootstrap.runtime.parts import ProcessParts

K = TypeVar("K")

FILE = "kept.json"
WRITE_S = 60.0  # least time between two writes, which wear an SD card; a power cut loses at most what came meanwhile
MOST_BYTES = 4096  # of all values of a sensor together
PROBLEM = "kept values"


class KeptValue(Generic[K]):
    """The handle of one value, as `Device.keep` returns it."""

    def __init__(self, values: "KeptValues", name: str) -> None:
        self._values, self._name = values, name

    @property
    def value(self) -> K:
        """The value now."""
        return cast("K", self._values.get(self._name))

    @value.setter
    def value(self, value: K) -> None:
        self._values.set(self._name, cast("Json", value))

    @property
    def saved(self) -> K:
        """The value that a power cut would leave; see `Kept`."""
        return cast("K", self._values.get_saved(self._name))

    @property
    def lost(self) -> bool:
        """Whether what an earlier process had kept is lost; see `Kept`."""
        return self._values.has_lost(self._name)


class KeptValues:
    """The values of one sensor, in a file of its folder. It is read at the first `keep`, and written in the worker.

    A change is written at once, and the next ones `WRITE_S` after that. What no disk takes stays in memory, also for
    the device that a reload puts in place of this one. A process that was killed leaves a copy of the last change.
    """

    def __init__(
        self,
        folder: Path,
        parts: ProcessParts,
        set_problem: Callable[[str, str | None], None],
        copy: Path | None = None,
    ) -> None:
        """Say by `set_problem` that the file cannot be written. `copy` is a file that is on no disk."""
        self._file, self._loop, self._worker, self._unsaved = folder / FILE, parts.loop, parts.worker, parts.unsaved
        self._set_problem, self._copy = set_problem, KeptCopy(copy)
        self._values: dict[str, Json] | None = None
        self._on_disk_now: dict[str, Json] = {}
        self._damaged = False
        self._unlike = set[str]()  # the names of values that were none of this device
        self._write_s = math.inf
        self._timer: Timer | None = None
        self._lock = threading.Lock()  # a write in the worker, and the last one
        self._changes = self._saved = 0  # the number of the last change, and of the last one that is on disk
        self._writing = self._failing = self._closed = False
        self._next_write = 0.0

    def keep(self, name: str, default: K, write_s: float = math.inf) -> KeptValue[K]:
        """Implement `Device.keep`."""
        if not is_id(name):
            raise TypeError(f"the name of a kept value must be {ID_RULE}, not {name!r}")
        self._write_s = min(self._write_s, write_s)
        if self._values is None:
            self._values = self._read()
        found = self._values.setdefault(name, cast("Json", default))
        self._on_disk_now.setdefault(name, cast("Json", default))
        if not _alike(found, default):
            log.error("a kept value is none of this device; beginning anew", name=name, found=found, begins=default)
            self._values[name] = cast("Json", default)
            self._unlike.add(name)
        return KeptValue(self, name)

    def get(self, name: str) -> Json:
        """Return a value."""
        return (self._values or {})[name]

    def get_saved(self, name: str) -> Json:
        """Return a value as it is on the disk, or as it is in memory while no disk takes it."""
        return (self._values or {} if self._failing else self._on_disk_now)[name]

    def has_lost(self, name: str) -> bool:
        """Return whether something was kept of this name, perhaps, that could not be read."""
        return self._damaged or name in self._unlike

    def set(self, name: str, value: Json) -> None:
        """Change a value, and have it written.

        Raises:
            TypeError, ValueError: JSON cannot hold it, or there would be too much; it is unchanged.
        """
        values = {**(self._values or {}), name: value}
        text = encode(values)
        if len(text) > MOST_BYTES:
            raise ValueError(f"{name!r} has too much to keep: {len(text)} bytes in all, and at most {MOST_BYTES}")
        if decode(text) != values:
            raise TypeError(f"{name!r} cannot be kept: {value!r} is no JSON value")
        self._values = values
        self._changes += 1
        self._copy.write(values)
        self._schedule()

    def close(self) -> None:
        """Write what is not on disk yet, and wait for it."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            if self._saved != self._changes:
                self._save(self._changes, self._text)
            self._copy.remove()
        except OSError as error:
            log.error("kept values are lost if this process ends now", file=str(self._file), error=str(error))
            self._unsaved[self._file] = self._values or {}

    @property
    def _text(self) -> str:
        return encode(self._values).decode()

    def _read(self) -> dict[str, Json]:
        """Return what an earlier device or run has kept. OSError: the file cannot be read."""
        if (unsaved := self._unsaved.pop(self._file, None)) is not None:
            self._failing = True  # as for the device before this one: no disk takes it, until one does
            self._changes += 1
            self._schedule()
            return unsaved
        found, text = self._on_disk()
        self._on_disk_now = {**found}
        self._copy.saved(text)
        if (newer := self._copy.read(text)) is None or newer == found:
            return found
        log.info("kept values are those after the last change, because the last process was killed")
        self._changes += 1
        self._schedule()
        return newer

    def _on_disk(self) -> tuple[dict[str, Json], bytes]:
        """Return the values in the file, and its content."""
        try:
            text = read_own(self._file)
            if not isinstance(found := decode(text), dict):
                raise Refused("it is no object")  # noqa: TRY301 - as any other damage
        except FileNotFoundError:
            return {}, b""
        except Refused as error:
            self._set_aside(error)
            return {}, b""
        return found, text

    def _set_aside(self, error: Refused) -> None:
        """Move a damaged file aside, so that a person can look at it."""
        self._damaged = True
        aside = self._file.with_name(f"{FILE}.damaged")
        with suppress(OSError):
            self._file.replace(aside)
        log.error("the kept values are damaged: moved aside, and begun anew", file=str(aside), error=str(error))

    # Writing.

    def _schedule(self) -> None:
        if not (self._writing or self._closed or (self._timer is not None and self._timer.call is not None)):
            self._timer = self._loop.call_at(max(self._next_write, time.monotonic()), self._write)

    def _write(self) -> None:
        """Write in the worker thread: an SD card may take a second, a failing one minutes."""
        self._writing, self._next_write = True, time.monotonic() + min(WRITE_S, self._write_s)
        text, values = self._text, self._values or {}
        self._copy.saving(text.encode())
        self._copy.write(values)
        written = partial(self._written, values)
        self._worker.call(partial(self._save, self._changes, text), written, self._not_written)

    def _save(self, number: int, text: str) -> None:
        """Write the values as they were after change `number`, unless newer ones are on disk."""
        with self._lock:
            if number > self._saved:
                rewrite(self._file, text, durable=True)
                self._saved = number
                self._copy.saved(text.encode())

    def _written(self, values: dict[str, Json], _: None) -> None:
        self._writing, self._on_disk_now = False, values
        self._set_problem(PROBLEM, None)
        if self._failing:
            log.info("kept values are written again", file=str(self._file))
        self._failing = False
        if self._saved != self._changes:
            self._schedule()

    def _not_written(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        if not self._failing:
            log.error("kept values cannot be written; they are in memory only", file=str(self._file), error=str(error))
        self._writing, self._failing = False, True
        if not self._closed:
            self._set_problem(PROBLEM, f"{self._file} cannot be written, so they are in memory only: {reason(error)}")
            self._schedule()


def kept_values(
    settings: SensorSettings, parts: ProcessParts, set_problem: Callable[[str, str | None], None]
) -> KeptValues:
    """Return the kept values of a sensor; see `KeptValues`."""
    folders, topics = settings.folders, settings.topics
    copy = folders.runtime / f"{topics.file_name}.kept" if folders.runtime != folders.state else None
    return KeptValues(outbox_folder(folders.state, topics), parts, set_problem, copy)


def _alike(found: object, default: object) -> bool:
    """Return whether a value can be of the device that has this default; None accepts any."""
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (found, default))
    return numbers or default is None or type(found) is type(default)
