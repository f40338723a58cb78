"""What a recorder has stored, as its file of SQLite has it."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from bootstrap.history.points import Field
from bootstrap.history.reader import MICRO
from bootstrap.history.sqlite.reader import SqliteReader
from penates.__main__ import main
from support.world import House, eventually


def stored(house: House, sensor: str = "cm/attic") -> list[tuple[int, int, dict[str, Any]]]:
    """The rows of a sensor: seq, time and fields."""
    query = "SELECT seq, time, fields FROM reading JOIN sensor ON id = sensor WHERE name = ? ORDER BY seq"
    file = house.folder / "state" / "history.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return [(seq, time_us, json.loads(fields)) for seq, time_us, fields in database.execute(query, (sensor,))]


def wait_stored(house: House, count: int, sensor: str = "cm/attic") -> list[tuple[int, int, dict[str, Any]]]:
    eventually(lambda: len(stored(house, sensor)) >= count, f"{count} readings are stored")
    return stored(house, sensor)


class RecordedHouse:
    """A house whose recorder is not running."""

    def __init__(self, house: House, capture: pytest.CaptureFixture[str]) -> None:
        self.house, self._capture = house, capture
        self.file = house.folder / "state" / "history.sqlite"
        house.write(1)
        self.keep(36_500)

    def keep(self, days: float, file: str = "") -> None:
        self.house.device("recorder", f'kind = "recorder"\nkeep_days = {days}\n{file}')

    def penates(self, *words: str) -> tuple[int, str, str]:
        code = main([*words, "--config", str(self.house.folder)])
        said = self._capture.readouterr()
        return code, said.out, said.err

    def load(self, name: str, text: str | bytes, *options: str, sensor: str = "cm/a") -> tuple[int, str, list[str]]:
        """The exit code, what was said of the file, and the complaints, without the file's name."""
        path = self.house.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        code, out, err = self.penates("import", str(path), *(["--sensor", sensor] if sensor else []), *options)
        return code, out.replace(f"{path}: ", "").strip(), err.replace(f"{path}:", "").splitlines()

    def rows(self, sensor: str = "cm/a") -> list[tuple[float, dict[str, Field]]]:
        with closing(SqliteReader(self.file)) as reader:
            return [(row.time_us / MICRO, row.fields) for row in reader.rows(sensor, -(2**62))]

    def values(self, measure: str, sensor: str = "cm/a") -> list[Field]:
        return [fields[measure] for _, fields in self.rows(sensor) if measure in fields]
