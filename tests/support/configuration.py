"""A small configuration, and what is wrong with one."""

from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from support.world import House

HOUSE = 'group = "cm"\n'


CELLAR = 'kind = "thermometer"\nserial = "28-0316a2795fff"\n'


def faults(house: House, house_toml: str = HOUSE, devices: dict[str, str] | None = None) -> list[str]:
    (house.folder / "house.toml").write_text(house_toml)
    for sensor, text in (devices or {"cellar": CELLAR}).items():
        (house.folder / "devices" / f"{sensor}.toml").write_text(text)
    try:
        check(house.folder)
    except SettingsError as error:
        return [str(fault) for fault in error.faults]
    return []
