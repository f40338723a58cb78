"""Files of others, line by line."""

import json
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from penates.history.import_formats import Reader


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.lp", "a.json", "a"]))
def test_whatever_is_in_a_file_each_line_is_points_or_a_reason(content: bytes, name: str) -> None:
    reader = Reader("cm/cellar", ZoneInfo("UTC"), None, words=True)
    for head in (b"", b"time,a\n", b'time,a\n1,"', b'm a=1,b="', b'{"time":"'):
        for found in reader.read(Path(name), BytesIO(head + content)):
            assert found.number > 0
            json.dumps([point.fields for point in found.points], ensure_ascii=False).encode()
            with closing(sqlite3.connect(":memory:")) as database:
                database.execute("SELECT ?, ?", [found.points[0].seq, found.points[0].run] if found.points else [1, ""])
