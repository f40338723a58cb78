"""Save a picture of what a display shows.

  penates lcd shot home/lcd lcd.png

It is drawn from what the display's sensor publishes, so it works from any machine of the house. A sensor that does not
run is named on stderr: then it is what the display showed last.
"""

import argparse
import sys

from bootstrap.contract.topics import EYES, Topics
from bootstrap.contract.values import members
from bootstrap.errors import NOT_DONE, Exit, Fatal
from penates.console.arguments import output_file, sensor_name
from penates.display_picture import ShownDisplay
from penates.files.saved_picture import save_picture
from penates.fleet.access import Access, access, access_arguments
from penates.fleet.probe import Silent, Unreachable, reach

PATIENCE_S = 10.0
WELL = ("online", "")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    parser.add_argument(
        "sensor", type=sensor_name, metavar="GROUP/SENSOR", help="the display's sensor, such as home/lcd"
    )
    parser.add_argument("file", type=output_file, metavar="FILE", help="the picture, a PNG")


def main(given: argparse.Namespace) -> int:
    """Draw what the broker retains of the display."""
    topics: Topics = given.sensor
    held = _held(access(given, EYES), topics)
    try:
        display = _display(topics, held)
        save_picture(given.file, display.png())
    except (ValueError, Fatal) as error:
        print(f"no picture of {topics.client_id}: {error}", file=sys.stderr)
        return NOT_DONE
    state = held.get(topics.status("state"), b"").decode(errors="replace")
    if state not in WELL:
        print(f"{topics.client_id} is {state}: this is what it showed last", file=sys.stderr)
    return Exit.STOPPED


def _held(of: Access, topics: Topics) -> dict[str, bytes]:
    """Return what the broker retains of the display.

    Raises:
        Fatal: it does not answer (77).
    """
    wanted = [topics.status("about"), topics.status("state"), topics.data("shown"), topics.data("light")]
    try:
        with reach(of, PATIENCE_S) as probe:
            return probe.retained(wanted)
    except (Unreachable, Silent) as error:
        raise Fatal(Exit.REFUSED, str(error)) from None


def _display(topics: Topics, held: dict[str, bytes]) -> ShownDisplay:
    """Return the display. ValueError: it is none."""
    about = members(held.get(topics.status("about"), b""))
    return ShownDisplay.published(about, held.get(topics.data("shown"), b""), held.get(topics.data("light")))
