"""Steps of a rotary encoder, from the edges of its two contacts."""

TURNS = {(0, 2): 1, (2, 3): 1, (3, 1): 1, (1, 0): 1}  # from and to: 2 is the first contact, which leads, 1 the second
TURNS |= {(after, before): -1 for before, after in TURNS}


class Quadrature:
    """Follows two contacts that close one after the other. A contact that bounces steps back and forth, which is none.

    Edges may be given in any order, since those of two lines arrive apart; `steps` sorts them by their times.
    """

    def __init__(self, first: bool, second: bool, per_step: int) -> None:
        """Begin with the contacts as they are; `per_step` is the number of edges from one detent to the next."""
        self._state, self._per_step = 2 * first + second, per_step
        self._edges: list[tuple[int, int, bool]] = []
        self._part = 0

    def add(self, at_ns: int, *, first: bool, closed: bool) -> None:
        """Take note of an edge of the first or of the second contact."""
        self._edges.append((at_ns, 2 if first else 1, closed))

    def steps(self) -> int:
        """Return by how many detents it was turned since the last call; negative for the other way."""
        for _at_ns, bit, closed in sorted(self._edges):
            state = self._state | bit if closed else self._state & ~bit
            self._part += TURNS.get((self._state, state), 0)
            self._state = state
        self._edges.clear()
        steps = int(self._part / self._per_step)
        self._part -= steps * self._per_step
        return steps
