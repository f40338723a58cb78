"""What is found in the edges of a line, decoded by a real rtl_433; and a receiver that says nothing at all."""

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from bootstrap.errors import NoReading
from bootstrap.radio import pin_receiver
from bootstrap.radio.receiver import RadioInput
from daemons.radio import Radio
from penates.testing import Bench
from support import transmitters
from support.air import RTL_433
from support.edges import SENT, batches, flat, found, noise


def decoded(texts: Sequence[str]) -> list[dict[str, Any]]:
    assert RTL_433, "rtl_433 is not installed; run scripts/test, which installs it"
    command = [RTL_433, "-c", "/dev/null", "-r", "ook:-", "-F", "json", "-M", "time:off"]
    done = subprocess.run(command, input="".join(texts), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", SENT)
def test_a_transmission_in_noise_is_decoded(name: str) -> None:
    sent = flat(SENT[name])
    for seed in range(3):
        texts = found(*batches([*noise(seed, 150_000), *sent, *noise(seed + 9, 150_000)]))
        assert decoded(texts) == decoded([transmitters.ook(SENT[name])])


def _reads(bench: Bench) -> bool:
    """Whether it listens by now."""
    with suppress(NoReading):
        return bool(bench.read())
    return False


def test_a_line_that_never_changes_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with Bench(Radio(input=RadioInput("pin:27"))) as bench:
        bench.until(lambda: _reads(bench))
        monkeypatch.setattr(pin_receiver, "QUIET_S", -1.0)
        with pytest.raises(OSError, match=r"GPIO27 has not changed for 0 s; is the receiver powered"):
            bench.read()
