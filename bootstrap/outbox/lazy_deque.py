"""A queue that takes memory only while something is in it: an empty deque takes 700 bytes."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class LazyDeque(Generic[T]):
    """A deque that is made with its first item, and given up with its last."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items: deque[T] | None = deque(items) or None

    def __len__(self) -> int:
        return len(self._items) if self._items else 0

    def __iter__(self) -> Iterator[T]:
        return iter(self._items or ())

    def __getitem__(self, place: int) -> T:
        if self._items is None:
            raise IndexError(place)
        return self._items[place]

    def append(self, item: T) -> None:
        """Add an item at the end."""
        if self._items is None:
            self._items = deque()
        self._items.append(item)

    def extendleft(self, items: Iterable[T]) -> None:
        """Add each item at the beginning, before the one that was added last."""
        if self._items is None:
            self._items = deque()
        self._items.extendleft(items)

    def popleft(self) -> T:
        """Remove and return the first item. IndexError: there is none."""
        if not self._items:
            raise IndexError("it is empty")
        item = self._items.popleft()
        if not self._items:
            self._items = None
        return item

    def clear(self) -> None:
        """Remove all items."""
        self._items = None
