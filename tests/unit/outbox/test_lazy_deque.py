"""A queue that takes memory only while something is in it behaves as a deque."""

import sys

import pytest

from bootstrap.outbox.lazy_deque import LazyDeque


def test_it_is_a_queue_and_takes_nothing_while_it_is_empty() -> None:
    queue = LazyDeque[int]()
    assert ([*queue], len(queue), bool(queue)) == ([], 0, False)
    assert sys.getsizeof(queue) < 64
    queue.append(1)
    queue.append(2)
    queue.extendleft([3, 4])
    assert ([*queue], len(queue), queue[0], queue[-1]) == ([4, 3, 1, 2], 4, 4, 2)
    assert [queue.popleft() for _ in range(4)] == [4, 3, 1, 2]
    assert not queue
    queue.extendleft([5])
    queue.clear()
    for take in (queue.popleft, lambda: queue[0]):
        with pytest.raises(IndexError):
            take()
    assert [*LazyDeque(range(3))] == [0, 1, 2]
