"""Show what is connected to this machine, which kind serves it, and how to adopt it.

  penates scan

It looks at 1-Wire, at what drivers of the kernel offer (IIO, hwmon), and at I2C, GPIO, SPI, serial ports, radio sticks
and transmitters, and changes nothing. On I2C each free address is asked as i2cdetect does; what a driver has is not
asked, nor is a bus of a monitor or the mainboard, unless --bus names it.

A device that a sensor of this house has is marked with the sensor's name. For each other one it prints the command that
writes its file. What could not be looked at stands at the end, with the reason. `penates unknown` shows what gateways
hear, and `penates adopt` what devices of other makes say on the broker.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from bootstrap.config.loader import Configuration, folder_or_default, usual_folder
from bootstrap.errors import Exit
from penates.console.arguments import config_option, json_option
from penates.console.output import to_a_reader
from penates.console.text import on_a_line
from penates.scan.found_device import FoundDevice, NotLookedAt
from penates.scan.machine_scan import ROOT, ScannedMachine, look

FAULTS = "the house has faults (penates check), so that some of what it has adopted is not known here"
FEW = 4  # commands that are shown for one device


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("--bus", type=int, action="append", default=[], metavar="N", help="ask on this I2C bus, too")
    root = "the folder that contains the machine's own sys and dev (default: /)"
    parser.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help=root)
    json_option(parser)


def main(given: argparse.Namespace) -> Exit:
    """Look, and print what is there."""
    named = given.config is not None or usual_folder() is not None
    house = Configuration(folder_or_default(given.config).absolute(), secrets=False) if named else None
    found = look(house, given.root, given.bus)
    if house and house.faults:
        print(f"penates scan: {FAULTS}", file=sys.stderr)
    with to_a_reader():
        print(json.dumps(_facts(found), indent=2, ensure_ascii=False) if given.json else "\n".join(_lines(found)))
    return Exit.STOPPED


def _facts(connected: ScannedMachine) -> dict[str, object]:
    return {
        "found": [one.facts(adopted) for one, adopted in connected.found],
        "not_looked_at": [asdict(one) for one in connected.missed],
    }


def _lines(connected: ScannedMachine) -> Iterator[str]:
    """Yield a line for each device below its area, with the commands that adopt it."""
    for area, devices in groupby(connected.found, key=lambda one: one[0].area):
        yield area
        for one, adopted in devices:
            yield from map(on_a_line, _device(one, adopted))
    if connected.missed:
        yield "not looked at"
        yield from (
            on_a_line(f"  {' '.join(filter(None, (one.area, one.place)))}: {one.why}") for one in connected.missed
        )
    if not connected.found:
        yield "nothing was found"
    elif connected.free:
        yield "to adopt one: run its command with a name of your own in place of NAME"


def _device(one: FoundDevice, adopted: str) -> Iterator[str]:
    head = ": ".join(filter(None, (one.place, one.what)))
    yield f"  {head}{f' (adopted as {adopted})' if adopted else ''}"
    if one.note:
        yield f"      {one.note}"
    if not adopted:
        yield from (f"      {offer.command()}" for offer in one.offers[:FEW])
        if more := [f"{offer.part or offer.kind}" for offer in one.offers[FEW:]]:
            yield f"      likewise {', '.join(more)}"


def _where(one: NotLookedAt) -> str:
    return f"{one.area} {one.place}".strip()
