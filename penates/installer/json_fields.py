"""Fields of a JSON file that one machine writes for another: what is wrong with one is said by its name."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from bootstrap.config.secrets import LONGEST_PASSWORD
from bootstrap.config.toml_file import contents
from bootstrap.contract.topics import ID_RULE, is_id
from bootstrap.errors import Exit, Fatal
from bootstrap.hosts import a_host
from penates.fleet.access import HIGHEST_PORT

Rule: TypeAlias = tuple[Callable[[object], bool], str]  # what a field must be, for the program and for people


def read_fields(file: Path, fields: Mapping[str, Rule], what: str) -> dict[str, Any]:
    """Return the fields of a JSON file; `what` it is to be is for people.

    Raises:
        Fatal: the file cannot be read, or is not that; the message names each wrong field.
    """
    try:
        found = json.loads(contents(file))
    except OSError as error:
        raise Fatal(Exit.SETTINGS, f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _is_not(file, what, "it is not JSON") from None
    if problems := [*_problems(found, fields)]:
        raise _is_not(file, what, "; ".join(problems))
    return dict(found)


def _is_not(file: Path, what: str, why: str) -> Fatal:
    return Fatal(Exit.SETTINGS, f"{file} is not {what}: {why}")


def _problems(found: object, fields: Mapping[str, Rule]) -> Iterator[str]:
    """Yield what is wrong with the fields. No value is repeated, because it may be a secret."""
    if not isinstance(found, dict):
        yield "it is not a JSON object"
        return
    for name, (is_valid, rule) in fields.items():
        if name not in found:
            yield f"{name!r} is missing"
        elif not is_valid(found[name]):
            yield f"{name!r} must be {rule}"
    yield from (f"there is no field {name!r}" for name in found.keys() - fields)


def is_name(value: object) -> bool:
    """Return whether a value may be a level of a topic."""
    return isinstance(value, str) and is_id(value)


def are_hosts(value: object) -> bool:
    """Return whether a value is a list of host names or addresses."""
    return isinstance(value, list) and bool(value) and all(map(_is_host, value))


def _is_host(value: object) -> bool:
    with suppress(ValueError):
        if isinstance(value, str):
            a_host(value)
            return True
    return False


def is_port(value: object) -> bool:
    """Return whether a value is the number of a port."""
    return type(value) is int and 0 < value <= HIGHEST_PORT


def is_certificate(value: object) -> bool:
    """Return whether a value is a PEM certificate."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if isinstance(value, str):
        with suppress(ssl.SSLError, ValueError):
            trust.load_verify_locations(cadata=value)
    return bool(trust.get_ca_certs())


def are_secrets(value: object) -> bool:
    """Return whether a value is an object with the password of each user."""
    return isinstance(value, dict) and bool(value) and all(is_id(user) and _is_secret(value[user]) for user in value)


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.encode()) <= LONGEST_PASSWORD


NAME: Rule = (is_name, ID_RULE)
HOSTS: Rule = (are_hosts, "a list of host names or addresses, at least one")
PORT: Rule = (is_port, f"a number from 1 to {HIGHEST_PORT}")
CERTIFICATE: Rule = (is_certificate, "a PEM certificate")
SECRETS: Rule = (are_secrets, f"an object of user: password; a user is {ID_RULE}, a password is text in one line")
