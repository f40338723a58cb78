"""What was taken is released in the opposite order, whatever fails."""

import pytest

from bootstrap.runtime.releases import Releases


def fail(error: Exception) -> None:
    raise error


def test_all_is_released_once_and_in_the_opposite_order() -> None:
    releases, done = Releases(), list[int]()
    for number in range(3):
        releases.callback(done.append, number)
    releases.close()
    releases.close()
    assert done == [2, 1, 0]


def test_a_failure_keeps_nothing_from_being_released() -> None:
    releases, done = Releases(), list[str]()
    last, first = ValueError("last"), OSError("first")
    releases.callback(done.append, "bottom")
    releases.callback(fail, last)
    releases.callback(fail, first)
    with pytest.raises(ValueError, match="last") as error:
        releases.close()
    assert error.value.__context__ is first
    assert done == ["bottom"]


def test_what_is_added_meanwhile_is_released_next() -> None:
    releases, done = Releases(), list[str]()
    releases.callback(done.append, "bottom")
    releases.callback(lambda: releases.callback(done.append, "late"))
    releases.close()
    assert done == ["late", "bottom"]
