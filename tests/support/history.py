"""What a recorder has stored, as its file of SQLite has it."""

import json
import sqlite3
from contextlib import closing

from support.world import House, eventually


def stored(house: House, sensor: str = "cm/attic") -> list[tuple[int, int, dict[str, object]]]:
    """The rows of a sensor: seq, time and fields."""
    query = "SELECT seq, time, fields FROM reading JOIN sensor ON id = sensor WHERE name = ? ORDER BY seq"
    with closing(sqlite3.connect(house.folder / "state" / "history.sqlite")) as database:
        return [(seq, time_us, json.loads(fields)) for seq, time_us, fields in database.execute(query, (sensor,))]


def wait_stored(house: House, count: int) -> list[tuple[int, int, dict[str, object]]]:
    eventually(lambda: len(stored(house)) >= count, f"{count} readings are stored")
    return stored(house)
