"""Learn what the remote of a radio socket sends, to switch the socket by a transmitter.

  penates radio learn
  penates radio learn --input rtl_tcp:attic:1234

It listens with rtl_433, so no `radio` may use the same stick meanwhile (penates stop). It asks for both buttons, three
times each, and prints the code for `penates new`. What is not three times the same is not learnt, nor are keys of cars,
doors and alarms. The exit code is then 1.
"""

import argparse
import sys

from bootstrap.errors import NOT_DONE, Exit, Refused
from bootstrap.pins.pulse_frame import Frame
from bootstrap.radio.pulse_learning import PRESSES, Press, check_allowed, code_of, learnt
from bootstrap.radio.pulse_listening import PulseListener, who_understands
from bootstrap.radio.receiver import FIRST_STICK, RadioInput

PATIENCE_S = 60.0
MHZ = 433.92


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    source = "the stick's number or :SERIAL, rtl_tcp:HOST:PORT, or a file (default: the first stick)"
    parser.add_argument("--input", type=_input, default=FIRST_STICK, metavar="INPUT", help=source)
    parser.add_argument("--frequency-mhz", type=float, default=MHZ, metavar="MHZ", help=f"default: {MHZ}")
    parser.add_argument("--program", default="rtl_433", metavar="PROGRAM", help="rtl_433, by its name or path")


def _input(text: str) -> RadioInput:
    try:
        found = RadioInput(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"it must be {error}, not {text!r}") from None
    if found.line is not None:
        raise argparse.ArgumentTypeError("a receiver on a pin cannot learn; it takes a stick")
    return found


def main(given: argparse.Namespace) -> int:
    """Listen to both buttons, and print what they are."""
    try:
        with PulseListener(given.program, given.input, given.frequency_mhz) as listener:
            on, on_presses = _button(listener, "on")
            off, off_presses = _button(listener, "off")
        code = code_of(on, off)
        check_allowed(code, who_understands(given.program, [*on_presses, *off_presses]))
    except (Refused, OSError) as error:
        print(f"not learnt: {_reason(error, given.program)}", file=sys.stderr)
        return NOT_DONE
    print(f'learnt: penates new NAME --from home/TRANSMITTER --code "{code}"')
    return Exit.STOPPED


def _reason(error: OSError | Refused, program: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{program} is not installed: sudo apt install rtl-433"
    return f"{error}; does a radio use the stick? see penates status" if "usb" in str(error) else str(error)


def _button(listener: PulseListener, name: str) -> tuple[Frame, list[Press]]:
    """Ask for one button, and return what it sends, with what was heard."""
    print(f"press the button that switches {name}, {PRESSES} times, with a second between", flush=True)
    presses = list[Press]()
    for press in listener.presses(PATIENCE_S):
        if not press.frames:
            continue  # noise
        presses.append(press)
        print(f"  {len(presses)}", flush=True)
        if len(presses) == PRESSES:
            break
    return learnt(presses), presses
