"""A serial port at whose far end somebody speaks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.spoken import Spoken


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Spoken]:
    with Spoken(tmp_path) as made:
        yield made
