"""Make the broker's certificate and the house's own CA, or show how long they are valid.

  sudo penates certs --name broker.example.org

The certificate contains this machine's names and IPv4 addresses, those it had before, and each --name. It is made if
there is none, if it lacks one of them, or if less than 90 days of its two years are left; the CA is made once, for
twenty years. What is still valid is left as it is. Clients trust /etc/penates/ca.pem.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.config.loader import folder_or_default
from bootstrap.errors import Exit, Fatal, to_install
from penates.console.arguments import config_option, host
from penates.console.output import counted

if TYPE_CHECKING:
    from penates.broker.house_ca import Authority
    from penates.files.planned_file import Planned

MOSQUITTO = Path("/etc/mosquitto")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("--renew", action="store_true", help="make a new certificate, even if the old one is valid")
    names = "a name or address that clients use for the broker, besides those found"
    parser.add_argument("--name", action="append", type=host, default=[], metavar="NAME", help=names)
    parser.add_argument(
        "--forget", action="append", type=host, default=[], metavar="NAME", help="a name or address to leave out"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    parser.add_argument(
        "--mosquitto", type=Path, default=MOSQUITTO, metavar="DIR", help=f"Mosquitto's folder (default: {MOSQUITTO})"
    )


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
        raise Fatal(Exit.ABSENT, f"{error.filename}: {error.strerror}; use sudo") from None
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
        print("to make the broker use it, run: sudo systemctl reload mosquitto")


def _show(authority: "Authority") -> None:
    """Print until when each certificate is valid, and the names in the broker's."""
    for what, identity in (("CA", authority.ca), ("broker", authority.server)):
        until = identity.certificate.not_valid_after_utc.astimezone()
        days = (until - datetime.now(UTC)).days
        print(f"{what}: valid until {until:%Y-%m-%d}, for {counted(days, 'day')}")
    print(f"  for {', '.join(authority.names_held)}")
