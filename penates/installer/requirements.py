"""What a command that changes the installed house requires: root, an installation, a broker of its own."""

import os

from bootstrap.errors import Exit, Fatal
from penates.console.arguments import ROOT_ONLY
from penates.files.install_paths import RECORD
from penates.installer.house_plan import HousePlan


def require_root(*, dry: bool = False) -> None:
    """Check that we may change this machine; a dry run changes nothing.

    Raises:
        Fatal: we may not.
    """
    if os.geteuid() and not dry:
        raise Fatal(Exit.SETTINGS, ROOT_ONLY)


def require_installation() -> None:
    """Check that a house is installed here.

    Raises:
        Fatal: there is none.
    """
    if not RECORD.exists():
        raise Fatal(Exit.SETTINGS, "nothing is installed here yet, not even a broker: sudo scripts/install")


def require_own_broker(plan: HousePlan) -> None:
    """Check that the broker of the house is this machine's own.

    Raises:
        Fatal: it is on another machine, or somebody else's.
    """
    broker = plan.house.broker
    if broker.of_others:
        instead = "make a user there for the other machine, and run there: sudo penates install --broker HOST"
        raise Fatal(Exit.SETTINGS, f"somebody else looks after the broker at {broker.hosts[0]}: {instead}")
    if not plan.local:
        raise Fatal(Exit.SETTINGS, f"the broker is on {broker.hosts[0]}: run this there")
