"""scripts/kinds: what is generated from the code is up to date."""

import subprocess
import sys

from support.paths import ROOT


def test_the_samples_and_the_generated_parts_of_the_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "kinds"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
