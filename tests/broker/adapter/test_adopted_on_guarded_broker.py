"""An adapter at a broker with passwords and permissions, by exactly the files that an installation writes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.places import Place
from support.world import Broker, Eyes

PLUG, OTHER = "zwave/nodeID_2", "zwave/nodeID_9"
SWITCH, TARGET = "switch_binary/endpoint_0/currentValue", "switch_binary/endpoint_0/targetValue/set"
ADAPTER = """
kind = "adapter"
group = "z-wave"

[sensors.fgwpe101-1]
profile = "zwave-js-ui"
address = "nodeID_2"
only = ["on"]
"""
HEARD = [f"{PLUG}/{SWITCH}", f"{PLUG}/status", f"{PLUG}/lastActive", f"{OTHER}/status", "zwave/driver/status"]
NOT_HEARD = [f"{OTHER}/{SWITCH}", f"{PLUG}/{TARGET}", f"{OTHER}/lastActive", "zwave/x", "cm/door/data/open"]
END = "z-wave/zwave/action/end"


@pytest.fixture
def guarded_place(place: Place, new_broker: Callable[..., Broker], tmp_path: Path) -> Place:
    """A house with an adapter, and its broker."""
    (tmp_path / "kept").mkdir()
    place.house.device("zwave", ADAPTER)
    place.make()
    lines = ("allow_anonymous false", f"persistence_location {tmp_path}/kept/", f"include_dir {place.site.conf_d}")
    place.broker = new_broker("site", *lines, listener=False, port=place.site.plain_port)
    return place


@pytest.fixture
def admin(guarded_place: Place) -> Iterator[Eyes]:
    found = guarded_place.eyes("admin")
    yield found
    found.close()


def test_it_reads_and_commands_its_device(guarded_place: Place, admin: Eyes) -> None:
    admin.retain_all([(f"{PLUG}/{SWITCH}", '{"value":false}')])
    guarded_place.house.run("zwave")
    admin.wait_value("z-wave/fgwpe101-1/data/on", False)
    admin.listen(f"{PLUG}/{TARGET}", lambda _: admin.pour(f"{PLUG}/{SWITCH}", ['{"value":true}'] * 2))
    answer = admin.ask("z-wave/fgwpe101-1", "set", "on")
    assert (answer["result"], answer["reason"]) == ("done", None)
    assert "Denied" not in guarded_place.broker.log()


def test_it_hears_and_tells_nothing_else(guarded_place: Place, admin: Eyes) -> None:
    adapter = guarded_place.eyes("zwave")
    for topic in (*HEARD, *NOT_HEARD, END):
        admin.publish(topic, b"1")
    adapter.wait_value(END, 1)
    assert [one.topic for one in adapter.seen] == [*HEARD, END]
    for topic in (f"{OTHER}/{TARGET}", *HEARD, "cm/door/action/read", f"{PLUG}/{TARGET}"):
        adapter.publish(topic, b"2")
    admin.wait_value(f"{PLUG}/{TARGET}", 2)
    assert [one.topic for one in admin.seen if one.payload == b"2"] == [f"{PLUG}/{TARGET}"]
    adapter.close()
