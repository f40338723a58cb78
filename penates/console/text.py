"""Text that may come from anybody, made harmless before it is printed."""

REPLACEMENT, LINE_END = "\N{REPLACEMENT CHARACTER}", "\N{PILCROW SIGN}"


def printable(text: str) -> str:
    """Return a text that cannot control a terminal: of what is not printable, only line ends are left."""
    return "".join(one if one.isprintable() or one == "\n" else REPLACEMENT for one in text)


def on_a_line(text: str) -> str:
    """Return a text that cannot control a terminal, and whose line ends are signs."""
    return printable(text).replace("\n", LINE_END)
