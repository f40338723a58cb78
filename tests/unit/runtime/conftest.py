"""A reporter whose messages stay in its outbox."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bootstrap.config.model import BrokerSettings as Section
from bootstrap.config.model import SensorSettings
from bootstrap.contract.topics import Topics
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.link import Link
from bootstrap.outbox.outbox import Outbox
from bootstrap.paths import Folders
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.sd_notify import notify
from support.odd_devices import Told
from support.world import make_outbox


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return make_outbox(tmp_path)


@pytest.fixture
def reporter(outbox: Outbox, tmp_path: Path) -> Iterator[Reporter]:
    """With a link that was never begun, so that what is said stays in the outbox."""
    topics, device = Topics("cm", "told"), Told()
    with ExitStack() as stack:
        sockets = Sockets()
        stack.callback(sockets.end)
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        worker = Worker(inbox)
        stack.callback(worker.close)
        address = BrokerAddress(Path(), Section(host="127.0.0.1"), topics)
        link = Link(Loop(), worker, address, outbox)

        def tell() -> None:
            notify(f"X_STATE={made.state}", f"X_WHY={made.why}")

        settings = SensorSettings(
            folder=tmp_path, file="", topics=topics, kind="told", device=device, folders=Folders.usual(tmp_path)
        )
        made = Reporter(settings, outbox, link, tell)
        made.publish_state("starting")
        made.publish_about({"kind": "told"})
        Heartbeat(Loop(), topics, outbox, made.heartbeat_facts, tell).publish()
        made.publish_health()
        yield made
