"""A calibration is written into a file that somebody has written, and taken back."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import Fatal
from penates.files.calibration_edit import with_calibration, with_raw, without_last_calibration, without_raw

HEAD = '# the cellar\nkind = "thermometer"\nserial = "28-0316a2795fff"  # behind the boiler\n'
TABLE = {"points": [[0.3, 0.0], [99.1, 100.0]]}
LOW = f"{HEAD}[temperature]\n# it freezes here\nlow = -10  # really\n"
OLD = "".join(f"# before this calibration: {row}\n" for row in ("calibrate = { points = [", "  [1, 2],  # ice", "] }"))
LINE = "calibrate = { points = [[0.3, 0.0], [99.1, 100.0]] }"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, f"{HEAD}\n[temperature]\n# before this calibration: no section\n{LINE}\n"),
        (
            f"{LOW}\nround = 1 # enough\n",
            f"{LOW}# before this calibration: no calibration\n{LINE}\n\nround = 1 # enough\n",
        ),
        (
            f"{HEAD}[temperature]\nround = 1\n[other]\n",
            f"{HEAD}[temperature]\n# before this calibration: no calibration\n{LINE}\nround = 1\n[other]\n",
        ),
        (
            f"{HEAD}[temperature]\ncalibrate = {{ points = [\n  [1, 2],  # ice\n] }}\nround = 1\n",
            f"{HEAD}[temperature]\n{OLD}{LINE}\nround = 1\n",
        ),
    ],
)
def test_a_calibration_is_the_first_filter_and_what_was_there_is_kept(before: str, after: str) -> None:
    assert with_calibration(before, "temperature", TABLE) == after
    assert without_last_calibration(after, "temperature") == before


@pytest.mark.parametrize(
    "before",
    [
        f"{HEAD}  [temperature]\n  round = 1\n\t[other]\n",
        f"{HEAD}[ temperature ]  # of the air\nquantile = {{ of = [\n [1]\n] }}\nround = 1\n",
        "\ufeff[temperature]\nround = 1\n",
        f"{HEAD}[temperature]\nraw = true\nlow = -10\nround = 1\n",
    ],
)
def test_headers_may_be_indented_and_follow_a_byte_order_mark(before: str) -> None:
    written = with_calibration(before, "temperature", TABLE)
    found = tomllib.loads(written.removeprefix("\ufeff"))["temperature"]
    assert found["calibrate"] == TABLE
    assert found.keys() >= {"round"}
    assert without_last_calibration(written, "temperature") == before


@pytest.mark.parametrize(
    "before",
    [
        '["temperature"]\nround = 1\n',
        "temperature = { round = 1 }\n",
        "temperature.round = 1\n",
        "[\"\"]\n[temperature]\n'calibrate' = 1\n",
    ],
)
def test_what_cannot_be_edited_is_said(before: str) -> None:
    with pytest.raises(Fatal, match=r"^\[temperature\] is written in a way that this command cannot edit; write it as"):
        with_calibration(before, "temperature", TABLE)
    with pytest.raises(Fatal, match="cannot edit"):
        with_raw(before.replace("calibrate", "raw"), "temperature")


def test_there_is_nothing_to_undo_where_nothing_was_done() -> None:
    assert without_last_calibration(HEAD, "temperature") is None
    assert without_last_calibration(f"{HEAD}[temperature]\n{LINE}\n", "temperature") is None


def test_only_the_last_one_is_undone() -> None:
    once = with_calibration(HEAD, "temperature", {"offset": 1})
    twice = with_calibration(once, "temperature", TABLE)
    assert tomllib.loads(twice)["temperature"] == {"calibrate": TABLE}
    undone = without_last_calibration(twice, "temperature")
    assert undone is not None
    assert tomllib.loads(undone)["temperature"] == {"calibrate": {"offset": 1}}
    assert without_last_calibration(undone, "temperature") is None


def test_what_was_added_below_a_calibration_stays() -> None:
    written = with_calibration(HEAD, "temperature", TABLE) + "round = 1\n"
    assert without_last_calibration(written, "temperature") == f"{HEAD}\n[temperature]\nround = 1\n"


def test_only_the_row_for_the_raw_value_is_taken_back() -> None:
    for before in (HEAD, LOW, f"{HEAD}[temperature]\n  raw = false # not yet\nround = 1\n"):
        written = with_raw(before, "temperature")
        assert tomllib.loads(written)["temperature"]["raw"] is True
        assert without_raw(written, "temperature") == before
        edited = written.replace("the cellar", "the attic") + "[humidity]\nround = 0\n"
        assert (
            without_raw(edited, "temperature") == before.replace("the cellar", "the attic") + "[humidity]\nround = 0\n"
        )
        assert without_raw(before, "temperature") == before
    kept = without_raw(with_raw(HEAD, "temperature") + "round = 1\n", "temperature")
    assert kept == f"{HEAD}\n[temperature]\nround = 1\n"


ROWS = [
    "# a word",
    "",
    "low = -10",
    "step = 3 # a step",
    "round = 1",
    "median = [\n]",
    'unit = "K"',
    "[humidity]",
    "x = 1",
]
TEXTS = st.lists(st.sampled_from(ROWS), max_size=8, unique=True).map(
    lambda rows: HEAD + "[temperature]\n" + "".join(f"{row}\n" for row in rows)
)


@given(TEXTS | st.just(HEAD) | st.just(HEAD.rstrip("\n")), st.sampled_from(["\n", "\r\n"]))
def test_whatever_was_there_is_there_again_to_the_byte(text: str, end: str) -> None:
    before = text.replace("\n", end)
    written = with_calibration(before, "temperature", TABLE)
    keys = [*tomllib.loads(written)["temperature"]]
    assert {*keys[: keys.index("calibrate")]} <= {"low", "high", "step"}
    assert tomllib.loads(written)["temperature"]["calibrate"] == TABLE
    assert without_last_calibration(written, "temperature") == before
    assert without_raw(with_raw(before, "temperature"), "temperature") == before
    raw = tomllib.loads(with_raw(before, "temperature"))["temperature"]
    assert raw.pop("raw") is True
    assert raw == tomllib.loads(before).get("temperature", {})
