"""Make the broker's certificate and the house's own CA, or show how long they are good.

  sudo penates certs --name broker.example.org

The certificate carries this machine's names and IPv4 addresses, those it had before, and each --name. It is made when
there is none, when it lacks one of them, and when less than 90 days of its two years are left; the CA is made once, for
twenty years. What is still good is left as it is. Clients trust /etc/penates/ca.pem.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.config.loader import folder_or_default
from bootstrap.config.model import HOST
from bootstrap.errors import Exit, Fatal, to_install
from penates.console.arguments import config_option

if TYPE_CHECKING:
    from penates.broker.house_ca import Authority
    from penates.files.planned_file import Planned

MOSQUITTO = Path("/etc/mosquitto")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("--renew", action="store_true", help="a new certificate, however good the old one is")
    names = "a name or address by which clients call the broker, beside those found"
    parser.add_argument("--name", action="append", type=_name, default=[], metavar="NAME", help=names)
    parser.add_argument(
        "--forget", action="append", type=_name, default=[], metavar="NAME", help="one not to hold on to"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing; say what would be written")
    parser.add_argument(
        "--mosquitto", type=Path, default=MOSQUITTO, metavar="DIR", help=f"its folder (default: {MOSQUITTO})"
    )


def _name(text: str) -> str:
    if not HOST.fullmatch(text):
        raise argparse.ArgumentTypeError(f"say a host's name or address alone, not {text!r}")
    return text


def main(given: argparse.Namespace) -> int:
    """Write the certificates that are missing or due, and show all of them."""
    try:
        from penates.broker import broker_plan  # noqa: PLC0415 - needs cryptography, which may be missing
        from penates.broker.house_ca import Authority  # noqa: PLC0415
    except ImportError as error:
        advice = to_install("cryptography", "ifaddr")
        raise Fatal(Exit.ABSENT, f"cryptography or ifaddr is missing ({error}); {advice}") from None
    folder = folder_or_default(given.config).absolute()
    authority = Authority(folder=folder, names=given.name, forgotten=given.forget, renew=given.renew)
    try:
        files = broker_plan.certificate_files(
            broker_plan.BrokerPlan(config=folder, mosquitto=given.mosquitto), authority
        )
        _write([file for file in files if file.differs], dry=given.dry_run)
    except PermissionError as error:
        raise Fatal(Exit.ABSENT, f"{error.filename}: {error.strerror}; it needs sudo") from None
    except (OSError, LookupError) as error:
        raise Fatal(Exit.ABSENT, str(error)) from None
    _show(authority)
    return Exit.STOPPED


def _write(files: "list[Planned]", *, dry: bool) -> None:
    for file in files:
        if not dry:
            file.write()
        print(f"{'would write' if dry else 'wrote'} {file.path}")
    if any(file.owner != "root" for file in files):
        print("the broker takes it over by: sudo systemctl reload mosquitto")


def _show(authority: "Authority") -> None:
    """Print until when each certificate is valid, and the names in the broker's."""
    for what, identity in (("CA", authority.ca), ("broker", authority.server)):
        until = identity.certificate.not_valid_after_utc
        print(f"{what}: good until {until:%Y-%m-%d}, {(until - datetime.now(UTC)).days} days")
    print(f"  as {', '.join(authority.names_held)}")
