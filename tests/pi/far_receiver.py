"""On the machine itself: a receiver elsewhere in the network, which transmits, stalls and hangs up as it is told.

Prints its port. Each line of standard input is `send ID CHANNEL CELSIUS` (a thermometer), `stall` or `hang_up`; with
the last line it ends.
"""

import sys
from contextlib import closing

from support.rtl_tcp import RtlTcp
from support.transmitters import nexus


def main() -> None:
    """Serve until standard input ends."""
    with closing(RtlTcp()) as server:
        print(server.port, flush=True)
        for line in sys.stdin:
            match line.split():
                case ["send", id_, channel, celsius]:
                    server.send(nexus(int(id_), int(channel), float(celsius)))
                case ["stall"]:
                    server.stall()
                case ["hang_up"]:
                    server.hang_up()


if __name__ == "__main__":
    main()
