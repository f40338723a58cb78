"""On the machine itself, as root: puts resistors on lines, and notes each change of their levels.

    python3 line_watch.py /etc/safety.json

The file has for each line the level to which its resistor leads. Each line of the output is the seconds since the
machine started, a line's number, and its level. Runs until it is killed.
"""

import ctypes
import json
import struct
import sys
import time
from pathlib import Path

LINES = Path("/run/vpi/gpio")  # of gpio-sim, which pulls a line that nobody holds
LOOK_S = 0.05
BEAT_S = 5.0


def set_clock() -> None:
    """Tell the kernel that its clock is set, as an NTP client does (adjtimex(2)): a lock obeys no other."""
    request = bytearray(208)
    struct.pack_into("I", request, 0, 0x14)  # ADJ_MAXERROR | ADJ_STATUS
    ctypes.CDLL(None).adjtimex((ctypes.c_char * len(request)).from_buffer(request))


def main(config: str) -> None:
    wanted = {int(line): level for line, level in json.loads(Path(config).read_text()).items()}
    for line, level in wanted.items():
        (LINES / f"sim_gpio{line}" / "pull").write_text("pull-up" if level else "pull-down")
    set_clock()
    files = {line: (LINES / f"sim_gpio{line}" / "value").open() for line in wanted}
    known: dict[int, str] = {}
    beat = 0.0
    while True:
        for line, file in files.items():
            file.seek(0)
            level = file.read().strip()
            if known.get(line) != level:
                known[line] = level
                print(f"{time.monotonic():.3f} {line} {level}", flush=True)
        if time.monotonic() - beat > BEAT_S:
            beat = time.monotonic()
            print(f"{beat:.3f} - -", flush=True)
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main(sys.argv[1])
