"""Whether a sensor runs on another machine already."""

import pytest

from penates.fleet.access import Access
from penates.fleet.already_running import alive
from penates.fleet.probe import Unreachable
from support.world import Broker, Eyes


def test_any_of_several_addresses_will_do(broker: Broker, eyes: Eyes) -> None:
    eyes.publish("cm/cellar/status/state", b"online", retain=True)
    assert alive(Access(["127.0.0.9", "127.0.0.1"], broker.port), ["cellar"]) == {"cellar": "another machine"}
    with pytest.raises(Unreachable, match="refused"):
        alive(Access(["127.0.0.9", "127.0.0.8"], broker.port), ["cellar"])
