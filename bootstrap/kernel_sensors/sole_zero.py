"""A chip with one value, at which 0 is measured, and read where no chip is."""

NEAR = 2.0  # how far a measured 0 may be from the value before
MANY = 3  # zeros in a row that are believed


class SoleZero:
    """Tell a measured 0 from that of a bus without a chip: it comes after a value near it, and does not stay."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._zeros = 0

    def is_mute(self, value: object) -> bool:
        """Return whether this value is a 0 that need not be true."""
        if value:
            self._last, self._zeros = (value, 0) if isinstance(value, float) else (None, 0)
            return False
        self._zeros += 1
        return self._last is None or abs(self._last) > NEAR or self._zeros > MANY
