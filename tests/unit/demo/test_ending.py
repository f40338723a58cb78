"""The marks below the demo's chart."""

import pytest

from penates.demo.ending import marks

CHART = """\
   ┌────────────────────┐
15 ┤                    │
   └────────────────────┘
      12:00     12:10"""


@pytest.mark.parametrize(
    ("spans", "lines"),
    [
        ([((5.0, 15.0), "dead")], ["         ├─ dead ─┤"]),
        ([((5.0, 9.0), "dead")], ["    dead ├───┤"]),
        ([((0.0, 8.0), "dead"), ((10.0, 25.0), "mute")], ["    ├─ dead ┤ ├─ mute ─┤"]),
        ([((0.0, 11.0), "dead"), ((5.0, 25.0), "mute")], ["    ├── dead ─┤", "         ├──── mute ───┤"]),
        ([((-9.0, -1.0), "dead")], [""]),
    ],
)
def test_a_mark_is_as_long_as_what_it_names(spans: list[tuple[tuple[float, float], str]], lines: list[str]) -> None:
    drawn = [*marks(CHART, (0.0, 20.0), spans)]
    assert drawn == lines
