"""The peers we are measured beside, and how a subject's process is run."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PEERS = Path(__file__).resolve().parent / ".peers"


def peer_python() -> Path:
    """mqtt-io, in a venv of its own."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "mqtt-io>=2.7", "gpiozero>=2.0.1.post3"], check=True)
    return python


def peer_version() -> str:
    """Of the mqtt-io we have."""
    code = "from importlib.metadata import version; print(version('mqtt-io'))"
    return subprocess.run([peer_python(), "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def running(command: list[str], **env: str) -> Iterator[None]:
    """A process that is killed at the end."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
