"""Whether the hardware would restart this machine."""

from pathlib import Path

import pytest

from penates.installer.machine_watchdog import has_watchdog, is_active


@pytest.mark.parametrize(("states", "active"), [((), False), (("inactive",), False), (("inactive", "active"), True)])
def test_a_watchdog_may_be_served_by_any_program(tmp_path: Path, states: tuple[str, ...], *, active: bool) -> None:
    (tmp_path / "dev").mkdir()
    for number, state in enumerate(states):
        (tmp_path / f"dev/watchdog{number}").touch()
        folder = tmp_path / f"sys/class/watchdog/watchdog{number}"
        folder.mkdir(parents=True)
        (folder / "state").write_text(f"{state}\n")
    assert (has_watchdog(tmp_path), is_active(tmp_path)) == (bool(states), active)
