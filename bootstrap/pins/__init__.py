"""GPIO pins, the kernel's or simulated ones."""

from bootstrap.pins.edge import Edge

__all__ = ["Edge"]
