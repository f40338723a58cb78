"""`penates`, with a supervisor that is quick to lose its patience: quick.py COMMAND …"""

import sys

from bootstrap import child
from penates.__main__ import main

if __name__ == "__main__":
    child.FIRST_RETRY_S, child.LAST_RETRY_S, child.STEADY_S = 0.05, 0.4, 2.0
    sys.exit(main(sys.argv[1:]))
