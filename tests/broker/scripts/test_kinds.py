"""scripts/kinds: the README's table and the samples are as the device files make them."""

import subprocess
import sys

from support.paths import ROOT


def test_the_readmes_table_of_kinds_and_the_samples_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "kinds"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
