"""The decoders of rtl_433: which of them are on.

With all of them, noise looks like devices that are not there. So, unless somebody searches, only those of the adopted
ones are on; and those that tell what people do, such as alarm contacts and tyres, only if somebody wants just them.
"""

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LIST_S = 20.0  # longest time for the list
ROW = re.compile(r"^\s*\[(\d+)\](\*?)\s+(.+)$", re.MULTILINE)
PRIVATE = re.compile(  # in names of decoders and of models
    r"TPMS|[Tt]ire|[Tt]yre|[Ss]ecurity|[Aa]larm|[Ss]moke|\bPIR\b|(?<!E-)[Mm]otion|Contact|Door|Quhwa|Car ?Key"
    r"|[Cc]ar ?[Rr]emote|[Kk]eyless|[Kk]eyfob|KeeLoq|HCS[23]00|Secplus|Garage|gates|H[oö]rmann|[Pp]owercode|Somfy"
    r"|Cardin|Nice.Flor|SimpliSafe|Insteon|IBIS|HSA"
)


@dataclass(frozen=True)
class Decoder:
    """One of them: its number, what it is for, and whether it is on when nothing is said."""

    number: int
    name: str
    usual: bool

    @property
    def private(self) -> bool:
        """Whether what it decodes is nobody else's business."""
        return is_private(self.name)


def is_private(name: str) -> bool:
    """Return whether what this decoder, or this model, tells is nobody else's business."""
    return bool(PRIVATE.search(name))


def in_program(program: str) -> dict[int, Decoder]:
    """Return the decoders of this rtl_433, by number. It may block.

    Raises:
        OSError: it cannot be run.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the device's own program, without a shell
            [program, "-c", "/dev/null", "-R", "help"], capture_output=True, timeout=LIST_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"{program} does not list its decoders within {LIST_S:g} s") from None
    return listed((done.stderr + done.stdout).decode(errors="replace"))


def listed(text: str) -> dict[int, Decoder]:
    """Return the decoders in what `rtl_433 -R help` prints, by number."""
    return {int(number): Decoder(int(number), name, not star) for number, star, name in ROW.findall(text)}


def chosen(there: Mapping[int, Decoder], wanted: Iterable[int], *, all_: bool) -> list[int]:
    """Return the numbers for `-R`: the wanted ones, or with `all_` those that are off although others are on.

    Of `wanted` only those that exist count; `there` is empty if nobody knows which do.
    """
    only = sorted({number for number in wanted if number in there})
    if not all_ and only:
        return only
    off = [-one.number for one in there.values() if one.usual and one.private and one.number not in only]
    return [*off, *(number for number in only if not there[number].usual)]
