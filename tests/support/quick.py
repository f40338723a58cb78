"""`penates`, quick to lose its patience with sensors, brokers and Home Assistant: quick.py COMMAND …"""

import os
import sys

from bootstrap.history import proof
from bootstrap.homeassistant import discovery
from bootstrap.mqtt import outages
from bootstrap.outbox import outbox
from bootstrap.supervisor import child
from penates.__main__ import main
from penates.commands import prune

if __name__ == "__main__":
    child.FIRST_RETRY_S, child.LAST_RETRY_S = 0.05, 0.4
    child.STEADY_S = float(os.environ.get("QUICK_STEADY_S", "2"))
    outbox.DENIED_S = outbox.NOBODY_S = outbox.LATER_S = 0.3
    discovery.WITHIN_S = 0.5
    outages.STEADY_S = 0.2
    prune.PATIENCE_S = 5.0
    proof.PROOF_S = proof.AGAIN_S = 1.0
    sys.exit(main(sys.argv[1:]))
