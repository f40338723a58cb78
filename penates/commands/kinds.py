"""Show the kinds of devices, or the data sheet of one: wiring, settings with defaults, measures, actions.

A class of your own is written module.Class, such as mine.Rain for the class Rain in mine.py beside house.toml. Kinds of
other installed packages are listed, too, with the package.

  penates kinds BME280

The number of a part, in any case and without its hyphens if you like, shows the kind that serves it. With --proof, each
part is listed with how its kind was proven on it.

  penates kinds door --wiring pin=27
  penates kinds DHT22 --svg dht22.svg

With --wiring it draws the header of a Pi with the device on it: which leg goes to which pin, and the resistors. Lines
are those of the settings that are given, else those of an example. --svg makes a picture of that for a printer.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from itertools import starmap
from pathlib import Path
from typing import Any

from bootstrap.config import kinds
from bootstrap.config.kinds import KindError
from bootstrap.config.loader import folder_or_default, usual_folder
from bootstrap.device import Measure, Takes
from bootstrap.errors import Exit, Fatal
from penates.console.arguments import config_option, json_option, output_file
from penates.console.output import columns, to_a_reader
from penates.datasheet import Sheet, sheet
from penates.files.saved_picture import save_picture
from penates.parts import elsewhere, kinds_for

OURS = "penates"
PRINTED = Path("-")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    json_option(parser)
    what = "show the data sheet of this kind, or of the one for this part, such as BME280 (default: list all)"
    parser.add_argument("kind", metavar="KIND", nargs="?", help=what)
    drawn = "draw how it is wired to the header of a Pi, with the lines of these settings"
    parser.add_argument("--wiring", nargs="*", metavar="SETTING=VALUE", help=drawn)
    picture = "save that drawing as an SVG picture, or print it (with -, or without a FILE)"
    parser.add_argument("--svg", nargs="?", const=PRINTED, type=_picture_file, metavar="FILE", help=picture)
    parser.add_argument("--proof", action="store_true", help="show how each kind was proven, for each part it serves")


def main(given: argparse.Namespace) -> Exit:
    """Print the list of kinds, or one data sheet. Of the list, a kind that cannot be loaded costs no other."""
    folder = folder_or_default(given.config) if given.config or usual_folder() else None
    ours, packages = kinds.names(), {} if given.kind else kinds.packaged()
    others = sorted(packages.keys() - {*ours})
    said, asked = _asked(given.kind) if given.kind else ("", [*ours, *others])
    sheets, broken = _sheets(asked, folder)
    broken += [
        f"kind {name!r} of {packages.pop(name)} is never used: penates has one" for name in ours if name in packages
    ]
    if given.kind and broken:
        raise Fatal(Exit.SETTINGS, said or broken[0])
    if given.wiring is not None or given.svg:
        return _draw(sheets, given)
    with to_a_reader():
        if given.json:
            part = given.kind or ""
            shown = {one.kind: _parts(one) if given.proof else facts(one, packages, part) for one in sheets}
            print(json.dumps(shown, indent=2, ensure_ascii=False))
        else:
            one = bool(given.kind) and len(sheets) == 1
            lines = _proofs(sheets) if given.proof else whole(sheets[0], given.kind) if one else _list(sheets, packages)
            print("\n".join([*([said, ""] if said else []), *lines]))
    for why in broken:
        print(f"penates kinds: {why}", file=sys.stderr)
    return Exit.SETTINGS if broken else Exit.STOPPED


def _picture_file(text: str) -> Path:
    return PRINTED if text == str(PRINTED) else output_file(text)


def _draw(sheets: list[Sheet], given: argparse.Namespace) -> Exit:
    """Draw how one kind is wired, or each of those that serve a part."""
    from penates.console.wiring_output import print_wiring, wiring_svg  # noqa: PLC0415 - rich is large

    if not given.kind:
        raise Fatal(Exit.SETTINGS, "which kind, or which part? penates kinds door --wiring")
    if given.svg:
        picture = wiring_svg(sheets, given.kind, given.wiring or [])
        if given.svg != PRINTED:
            save_picture(given.svg, picture.encode())
            return Exit.STOPPED
        sys.stdout.write(picture)
    else:
        print_wiring(sheets, given.kind, given.wiring or [])
    return Exit.STOPPED


def _asked(word: str) -> tuple[str, list[str]]:
    """Return the kinds that a word means, and what is to be said if it is the number of a part."""
    if known := elsewhere(word):
        return known[0], [known[1]]
    try:
        found = kinds_for(word)
    except KindError as error:
        raise Fatal(Exit.SETTINGS, str(error)) from None
    return ("" if found == [word] else f"{word} is served by: {', '.join(found)}"), found


def _parts(found: Sheet) -> dict[str, str]:
    """Return the parts of a kind, each with how it was proven."""
    return {**found.device.parts}


def _proofs(sheets: list[Sheet]) -> list[str]:
    """Return a line for each part of each kind."""
    rows = [(one.kind, part, proof) for one in sheets for part, proof in one.device.parts.items()]
    return columns([("KIND", "PART", "PROVEN BY"), *rows])


def _sheets(names: list[str], folder: Path | None) -> tuple[list[Sheet], list[str]]:
    """Return the data sheets of these kinds, and why there is none of others."""
    sheets, broken = [], []
    for name in names:
        try:
            sheets.append(sheet(name, folder))
        except KindError as error:
            broken.append(str(error))
    return sheets, broken


def facts(found: Sheet, packages: Mapping[str, str], part: str = "") -> dict[str, Any]:
    """Return a data sheet in a form for JSON; `packages` is as in `packaged`, `part` what was asked for."""
    return {
        **({"package": packages[found.kind]} if found.kind in packages else {}),
        "what": found.what,
        "wiring": found.wiring,
        "driver": found.driver(found.of_part(part)),
        "parts": _parts(found),
        "settings": {setting.name: setting.facts for setting in found.settings},
        "measures": {name: measure.facts for name, measure in found.measures.items()},
        "actions": {name: takes.facts for name, takes in found.device.commands.items()},
    }


def action(name: str, takes: Takes) -> str:
    """Return an action with the values it takes, where they are known: `set (on, off, toggle)`, `dim (0 to 100 %)`."""
    known = takes.facts
    number = f"{limits_of(known)} {known['unit']}".removesuffix(" 1") if "unit" in known else ""
    taken = ", ".join([*takes.words, *([number] if number else [])])
    return f"{name} ({taken})" if taken else name


def _list(sheets: list[Sheet], packages: Mapping[str, str]) -> list[str]:
    """Return a line for each kind. Where it comes from is a column if there are any of other packages."""

    def row(kind: str, measures: str, package: str, what: str) -> tuple[str, ...]:
        return (kind, measures, *([package] if packages else []), what)

    rows = [row(one.kind, ", ".join(one.measures), packages.get(one.kind, OURS), one.summary) for one in sheets]
    return columns([row("KIND", "MEASURES", "FROM", "WHAT IT IS"), *rows])


def whole(found: Sheet, part: str) -> list[str]:
    """Return a data sheet as lines of text, with the settings as `penates new` writes them for this part."""
    values = found.of_part(part)
    measures = [("MEASURE", "UNIT", "RANGE", ""), *(_measure(*item) for item in found.measures.items())]
    return [
        f"{found.kind}: {found.what}",
        f"Wiring: {found.wiring}",
        *(f"Driver: {step}." for step in found.driver(values)),
        *([f"Parts: {', '.join(found.device.parts)}"] if found.device.parts else []),
        "",
        *(line for label, drawn in found.pictures() for line in (*([f"{label}:"] if label else []), drawn, "")),
        *("\n\n".join([*found.paragraphs(values), *found.section()]), ""),
        *columns(measures),
        "",
        f"Actions: {', '.join(starmap(action, found.device.commands.items()))}",
    ]


def _measure(name: str, measure: Measure) -> tuple[str, ...]:
    limits = ", ".join(measure.words) or limits_of(measure.facts)
    return (name, measure.unit_name, limits, ", ".join(notes_of(measure)))


def notes_of(measure: Measure) -> list[str]:
    """Return what is special about a measure, for people."""
    return [
        *([f"changes by at most {measure.step:g} between readings"] if "step" in measure.facts else []),
        *(["an event, never retained"] if measure.event else []),
        *(["only grows, except for restarts at 0"] if measure.counter else []),
        *(["what was commanded last; nothing measures it"] if measure.assumed else []),
    ]


def limits_of(known: Mapping[str, Any]) -> str:
    """Return the limits of a number for people, or empty text if it has none."""
    low, high = (f"{known[end]:g}" if end in known else "" for end in ("low", "high"))
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"up to {high}" if high else ""
