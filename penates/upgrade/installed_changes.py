"""What `penates install` of this version would rewrite on this machine."""

import os
from pathlib import Path

from bootstrap.config.toml_file import SettingsError
from bootstrap.errors import Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.files.install_paths import HOUSE, RECORD
from penates.installer.house_plan import HousePlan, scratch
from penates.installer.install_record import InstallRecord
from penates.installer.installation import Installation


def is_installed(folder: Path) -> bool:
    """Return whether this is the house that `penates install` has set up on this machine."""
    return folder.absolute() == HOUSE and RECORD.parent.exists()


def installed_changes() -> list[str]:
    """Return the steps that `penates install` would carry out now, or why that cannot be told."""
    if os.geteuid():
        return ["only root can tell; use sudo"]
    try:
        with scratch() as place:
            steps = Installation(HousePlan(place), InstallRecord.read()).steps()
            return [f"{step}  [{why}]" for step in steps if (why := step.needed())]
    except (SettingsError, Fatal, Unavailable, OSError, LookupError) as error:
        return [f"nothing before this is mended: {error}"]
