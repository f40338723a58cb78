"""What is logged of the broker: each outage once, however many there are."""

import signal

from support.paths import QUICK
from support.world import Broker, House


def test_every_outage_is_logged_once(cellar: House, broker: Broker) -> None:
    """A connection that has lasted makes the next outage news again; the attempts within one outage are not."""
    running = cellar.run(program=QUICK)
    for count in (1, 2, 3):
        running.wait_log("info cm/cellar: connected", count=count)
        running.wait_log("debug cm/cellar: read (", count=len(running.logged("debug cm/cellar: read (")) + 2)  # 1 s
        broker.stop()
        running.wait_log("warning cm/cellar: no broker; readings are kept meanwhile", count=count)
        running.wait_log("debug cm/cellar: no broker; readings are kept meanwhile", count=count)
        broker.start()
    running.wait_log("info cm/cellar: connected", count=4)
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert len(running.logged("warning cm/cellar: no broker")) == 3
