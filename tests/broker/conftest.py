"""Fixtures of the tests that have a real broker."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.assistant import Assistant
from support.world import Broker


@pytest.fixture
def start_assistant(tmp_path: Path) -> Iterator[Callable[..., Assistant]]:
    """Start one at a broker, perhaps with its recorder; a later one knows what the earlier one stored."""
    made: list[Assistant] = []

    def make(broker: Broker, *more: str) -> Assistant:
        made.append(Assistant(tmp_path / "assistant", broker.port, *more))
        return made[-1]

    yield make
    for assistant in made:
        assistant.close()
