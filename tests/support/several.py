"""One process with several sensors: several.py FOLDER SENSOR …"""

import sys
from contextlib import ExitStack
from pathlib import Path

from bootstrap.config.loader import load
from bootstrap.logs import log
from bootstrap.runtime.process import Process

if __name__ == "__main__":
    log.start("several", "debug", "text")
    with ExitStack() as stack:
        process = Process(stack)
        for sensor in sys.argv[2:]:
            process.add(load(Path(sys.argv[1]), sensor))
        code = process.run()
    sys.exit(code)
