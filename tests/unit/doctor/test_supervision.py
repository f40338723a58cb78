"""What systemd, whose systemctl is a stand-in here, shows of each unit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.config.model import SensorSettings
from penates.doctor.findings import Verdict
from penates.doctor.supervision import Supervision
from penates.installer import unit_states

GOOD, BAD, UNKNOWN = Verdict


# Who looks after them.


@pytest.mark.parametrize(
    ("state", "verdict", "ended"),
    [
        (("active", "running", 0), GOOD, ""),
        (("active", "running", 6), BAD, ""),
        (("failed", "failed", 0), BAD, ", ended with 78"),
        (("activating", "auto-restart", 2), BAD, ", ended with 78"),
        (("inactive", "dead", 0), BAD, ""),
    ],
)
def test_units(
    systemctl: Callable[..., None],
    cellar_settings: SensorSettings,
    state: tuple[str, str, int],
    verdict: Verdict,
    ended: str,
) -> None:
    systemctl(*state)
    kept = Supervision(Path("/etc/penates"), Path("/run/penates"), unit_states.units(["cellar"]))
    about = kept.runs("cellar", cellar_settings)
    said = f"penates@cellar.service is {state[0]} ({state[1]}), restarts: {state[2]}{ended}"
    assert (about.verdict, about.text) == (verdict, said)
    assert verdict is GOOD or "journalctl -u penates@cellar.service" in about.advice
    who = kept.user("cellar", cellar_settings)
    assert (who.name, who.factory, who.folder) == ("daemon", "lgpio", Path("/run/penates"))
    assert who.nodes == "char-i2c rw char-spi rw"


def test_what_was_restarted_often_and_is_steady_since_is_well(
    systemctl: Callable[..., None], cellar_settings: SensorSettings
) -> None:
    systemctl("active", "running", 9, since_s=700)
    kept = Supervision(Path("/etc/penates"), Path("/run/penates"), unit_states.units(["cellar"]))
    assert kept.runs("cellar", cellar_settings).verdict is GOOD


def test_where_there_is_no_systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(unit_states, "BOOTED", tmp_path / "gone")
    assert unit_states.units(["cellar"]) == {}
