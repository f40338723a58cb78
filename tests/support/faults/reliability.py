"""The table of docs/RELIABILITY.md: made of what the fault suite measured, and held against it."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

from support.faults.promises import Promise, Verdict
from support.paths import ROOT, TESTS

PAGE = ROOT / "docs" / "RELIABILITY.md"
MARKS = re.compile(r"(<!-- faults -->\n).*?(<!-- end of faults -->)", re.DOTALL)
HEAD = "| fault | promise | lost | duplicated | out of order | wrong state | recovered in s |"
NONE = "-"


class Row(NamedTuple):
    """A line of the table, as it is written."""

    fault: str
    promise: str
    lost: str
    duplicated: str
    disordered: str
    wrong: str
    recovered_s: str

    @classmethod
    def of(cls, promise: Promise, verdict: Verdict) -> Self:
        numbers = (verdict.lost, verdict.duplicated, verdict.disordered, verdict.wrong, verdict.recovered_s)
        return cls(promise.fault, promise.promise, *(NONE if number is None else str(number) for number in numbers))

    def __str__(self) -> str:
        return f"| {' | '.join(self)} |"


def read_rows(page: Path) -> list[Row]:
    """The table of a page; none if there is none."""
    found = MARKS.search(page.read_text()) if page.exists() else None
    lines = found[0].splitlines()[3:-1] if found else []
    return [Row(*line.strip("| ").split(" | ")) for line in lines]


def stale(row: Row, promise: Promise, written: list[Row]) -> bool:
    """Whether the page says something else of a fault than was promised and measured.

    Seconds and duplicates differ from run to run; so does a loss within what is promised, where that is more than none.
    """
    said = next((one for one in written if (one.fault, one.promise) == (row.fault, row.promise)), None)
    if said is None:
        return True
    numbers = (
        (said.lost, row.lost, promise.lost),
        (said.disordered, row.disordered, promise.disordered),
        (said.wrong, row.wrong, promise.wrong),
    )
    return any(_differ(*number) for number in numbers)


def _differ(said: str, measured: str, most: int | None) -> bool:
    if not most or NONE in (said, measured):
        return said != measured
    return not 0 <= int(said) <= most


def declared() -> list[Promise]:
    """Every fault of the suite, in the order of the files; also of tests that are not run now."""
    return [
        found
        for file in sorted((TESTS / "faults").glob("test_*.py"))
        for found in _promises(ast.parse(file.read_text()))
    ]


def _promises(tree: ast.AST) -> Iterable[Promise]:
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault"
    ]
    for call in sorted(calls, key=lambda call: call.lineno):
        words: dict[str, Any] = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
        yield Promise(*map(ast.literal_eval, call.args), **words)


def write_rows(page: Path, measured: list[Row]) -> None:
    """Put these in the page, in the order of the suite; a fault that was not measured now keeps its row."""
    rows = {(row.fault, row.promise): row for row in [*read_rows(page), *measured]}
    known = [rows[one.fault, one.promise] for one in declared() if (one.fault, one.promise) in rows]
    table = "\n".join([HEAD, "| --- | --- | --: | --: | --: | --: | --: |", *map(str, known), ""])
    page.write_text(MARKS.sub(lambda marks: marks[1] + table + marks[2], page.read_text()))
