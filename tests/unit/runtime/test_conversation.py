"""Whoever neither listens nor tells pays nothing for it."""

import subprocess
import sys

from support.paths import ROOT


def test_a_process_that_hears_nobody_imports_nothing_for_it() -> None:
    program = "import sys, bootstrap.runtime.process, daemons.thermometer, daemons.lamp; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert "bootstrap.runtime.conversation" in found
    parts = {"listening", "followed", "followed_sensor"}
    assert not found & {
        "bootstrap.mqtt.telling",
        "bootstrap.contract.heard",
        *(f"bootstrap.runtime.{one}" for one in parts),
    }
