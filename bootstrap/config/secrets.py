"""Secrets in files of their own: found, read and checked, but never shown."""

import os
from pathlib import Path

from bootstrap.config.toml_file import contents, decoded

LONGEST_PASSWORD = 65_535  # bytes; MQTT's own limit


def password_file(folder: Path, named: str | None, sensor: str) -> Path | None:
    """Return the file that holds a sensor's password, or None where it has none.

    A credential from systemd (`password`, or `password_SENSOR` in a unit with several sensors) takes precedence over
    `named`, which is relative to `folder` and may contain `{sensor}`.
    """
    if credentials := os.environ.get("CREDENTIALS_DIRECTORY"):
        for given in (Path(credentials, "password"), Path(credentials, f"password_{sensor}")):
            if given.exists():
                return given
    return folder / named.replace("{sensor}", sensor) if named else None


def read_password(file: Path) -> str:
    """Return the first line of `file`.

    Raises:
        OSError: the file cannot be read.
        ValueError: the line is empty, too long, or not text. The message never repeats any of it.
    """
    try:
        password = decoded(contents(file).split(b"\n")[0].rstrip(b"\r"))
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text: {error.reason}") from None
    if not password:
        raise ValueError("is empty")
    if len(password.encode()) > LONGEST_PASSWORD:
        raise ValueError(f"has more than {LONGEST_PASSWORD} bytes in its first line")
    return password


def read_secret(file: Path) -> str:
    """Return the secret in the first line of `file`. Every problem is an OSError, so that the caller retries.

    Raises:
        OSError: the file cannot be read, or holds no secret.
    """
    try:
        return read_password(file)
    except ValueError as error:
        raise OSError(f"{file} {error}") from None


def password_problem(file: Path) -> str | None:
    """Return why no password can be read from `file`, or None if one can."""
    try:
        read_password(file)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError as error:
        return str(error)
    return None


def a_secret(file: Path) -> None:
    """Raise ValueError if no secret can be read from `file`."""
    if why := password_problem(file):
        raise ValueError(f"a file with a secret in its first line (it {why})")
