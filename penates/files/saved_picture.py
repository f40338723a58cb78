"""Pictures that a person has asked for, in the file that was named."""

from pathlib import Path

from bootstrap.errors import Exit, Fatal
from bootstrap.paths import rewrite


def save_picture(file: Path, content: bytes) -> None:
    """Write a picture as a whole, or leave what was there; a terminal or a pipe receives it as it is.

    Raises:
        Fatal: it cannot be written.
    """
    try:
        if file.exists() and not file.is_file():
            file.write_bytes(content)
        else:
            rewrite(file.resolve(), content)
    except OSError as error:
        raise Fatal(Exit.ABSENT, f"{file} cannot be written: {error.strerror or error}") from None
