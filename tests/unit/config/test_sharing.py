"""What a sensor shares: by its kind, and as its owner says."""

import pytest

from bootstrap.config.loader import check
from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import SettingsError
from support.private import PHONE
from support.world import House

HOUSE = 'group = "cm"\n[broker]\nhost = "127.0.0.1"\n'


@pytest.fixture
def phones(house: House) -> House:
    (house.folder / "house.toml").write_text(HOUSE)
    (house.folder / "phones.py").write_text(PHONE)
    return house


def settings(house: House, lines: str) -> SensorSettings:
    house.device("it", lines)
    (found,) = check(house.folder)
    return found


@pytest.mark.parametrize(
    ("lines", "group", "announced", "recorded"),
    [
        ('kind = "phones.Phone"', "cm-private", False, False),
        ('kind = "phones.Phone"\nshared_with = "all"', "cm", True, True),
        ('kind = "phones.Phone"\nshared_with = ["history"]', "cm-private", False, True),
        ('kind = "phones.Phone"\nshared_with = ["homeassistant"]', "cm-private", True, False),
        ('kind = "phones.Phone"\nshared_with = ["sites"]\ngroup = "up"', "up", False, False),
        ('kind = "phones.Phone"\ngroup = "up"', "up-private", False, False),
        ('kind = "pi"', "cm", True, True),
        ('kind = "pi"\nshared_with = "none"', "cm-private", False, False),
    ],
)
def test_a_private_kind_shares_what_is_asked_for(
    phones: House, lines: str, group: str, announced: bool, recorded: bool
) -> None:
    found = settings(phones, lines)
    assert (found.topics.group, found.homeassistant.enabled, found.recorded) == (group, announced, recorded)


def test_what_a_gateway_carries_is_private_by_its_own_kind(phones: House) -> None:
    found = settings(phones, 'kind = "phones.Phones"\n[sensors.anna]\nid = 1\n')
    assert (found.topics.client_id, found.recorded) == ("cm/it", True)
    (anna,) = found.carried.values()
    assert (anna.topics.client_id, anna.homeassistant.enabled, anna.recorded) == ("cm-private/anna", False, False)
    found = settings(phones, 'kind = "phones.Phones"\nshared_with = "all"\n[sensors.anna]\nid = 1\n')
    assert found.carried["anna"].topics.client_id == "cm/anna"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('shared_with = "some"', """'shared_with' must be "all" or "none" or a list that is not empty, not "some\""""),
        ('shared_with = ["me"]', """must be "history" or "homeassistant" or "sites", not ['me']"""),
        (f'group = "{"g" * 60}"', "its group is a private one"),
    ],
)
def test_what_cannot_be(phones: House, lines: str, fault: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings(phones, f'kind = "phones.Phone"\n{lines}\n')
    assert fault in str(error.value)


@pytest.mark.parametrize(("group", "lines"), [("cm-private", ""), ("cm", '# upstairs\ngroup = "up-private"\n')])
def test_a_group_of_ones_own_is_not_called_as_that_of_private_sensors(house: House, group: str, lines: str) -> None:
    """No bridge would carry it, and nobody would be told."""
    (house.folder / "house.toml").write_text(HOUSE.replace('"cm"', f'"{group}"'))
    house.device("it", f'kind = "pi"\n{lines}')
    with pytest.raises(SettingsError) as error:
        check(house.folder)
    where = "devices/it.toml:3" if lines else "house.toml:1"
    assert f"{where}: 'group' must be a group that does not end in '-private'" in str(error.value)


@pytest.mark.parametrize(
    ("top", "section", "gateway", "anna"),
    [
        ("", "", True, True),
        ("homeassistant = { enabled = false }", "", False, False),
        ("", "homeassistant = { enabled = false }", True, False),
        ("", "[sensors.anna.homeassistant]\nenabled = false", True, False),
        ("homeassistant.enabled = false", "homeassistant.enabled = true", False, True),
        ('shared_with = ["sites"]', "homeassistant.enabled = true", False, False),
    ],
)
def test_a_sensor_is_announced_as_its_own_file_says(
    phones: House, top: str, section: str, gateway: bool, anna: bool
) -> None:
    share = "" if "shared_with" in top else 'shared_with = "all"'
    found = settings(phones, f'kind = "phones.Phones"\n{share}\n{top}\n[sensors.anna]\nid = 1\n{section}\n')
    assert (found.homeassistant.enabled, found.carried["anna"].homeassistant.enabled) == (gateway, anna)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("homeassistant = { on = false }", "devices/it.toml:4: no setting 'on'; choose from enabled"),
        ("homeassistant = { enabled = 0 }", "devices/it.toml:4: 'enabled' must be true or false, not 0"),
        ("homeassistant = false", "devices/it.toml:4: 'sensors.anna.homeassistant' must be a section"),
    ],
)
def test_a_wrong_announcement_of_a_section_is_named_with_its_line(phones: House, line: str, fault: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(phones, f'kind = "phones.Phones"\n[sensors.anna]\nid = 1\n{line}\n')
    assert [fault in str(one) for one in raised.value.faults] == [True]
