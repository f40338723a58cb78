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


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.lp"]))
def test_whatever_is_in_a_file_each_line_is_points_or_a_reason(content: bytes, name: str) -> None:
    reader = Reader("cm/cellar", ZoneInfo("UTC"), None, words=True)
    for head in (b"", b"time,a\n", b'm a=1,b="'):
        for number, found in reader.read(Path(name), BytesIO(head + content)):
            assert number > 0
            if not isinstance(found, str):
                json.dumps([point.fields for point in found], ensure_ascii=False).encode()
                with closing(sqlite3.connect(":memory:")) as database:
                    database.execute("SELECT ?, ?", [found[0].seq, found[0].run] if found else [1, ""])
