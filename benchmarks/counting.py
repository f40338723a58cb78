"""What became of values on their way: how many were lost, came twice, or came in another order."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """Numbers of values.

    Attributes:
        lost: delivered less often than they were produced.
        duplicated: delivered more often.
        disordered: of the others, the fewest that would have to be moved to restore the order.
    """

    lost: int
    duplicated: int
    disordered: int


def count(produced: Sequence[Hashable], delivered: Sequence[Hashable]) -> Count:
    """Compare what was delivered with what was produced, both in their order; values may recur, as a door's do."""
    made, came = Counter(produced), Counter(delivered)
    in_order = longest_common(produced, delivered)
    return Count((made - came).total(), (came - made).total(), (made & came).total() - in_order)


def longest_common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The length of the longest subsequence that both have."""
    row = [0] * (len(other) + 1)
    for value in one:
        above, row = row, [0]
        for place, candidate in enumerate(other):
            row.append(above[place] + 1 if value == candidate else max(above[place + 1], row[place]))
    return row[-1]
