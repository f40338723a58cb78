"""The names of GPIO lines, by which people count them: on the chip, or on the header of 40 pins."""

import re

BCM_NUMBERS = range(28)
# The pins of the header in order: a line's BCM number, or what else the pin is.
_HEADER = """3V3 5V 2 5V 3 GND 4 14 GND 15 17 18 27 GND 22 23 3V3 24 10 GND
             9 25 11 8 GND 7 0 1 5 GND 6 12 13 GND 19 16 26 20 GND 21"""
HEADER = (*_HEADER.split(),)
NAME = re.compile(r"(GPIO|BOARD)(\d{1,2})", re.ASCII)


def line_number(name: str) -> int:
    """Return the BCM number of a line by its name: `GPIO17`, or `BOARD11` for the pin 11 of the header.

    Raises:
        ValueError: there is no such line; the message says what is allowed.
    """
    found = NAME.fullmatch(name.upper())
    number = int(found[2]) if found else -1
    if found and found[1] == "GPIO" and number in BCM_NUMBERS:
        return number
    if found and found[1] == "BOARD" and 1 <= number <= len(HEADER):
        if not HEADER[number - 1].isdecimal():
            raise ValueError(f"a GPIO line (BOARD{number} is {HEADER[number - 1]})")
        return int(HEADER[number - 1])
    raise ValueError("a BCM number up to 27, a line (GPIO0 to GPIO27) or a pin of the header (BOARD3 to BOARD40)")
