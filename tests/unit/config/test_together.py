"""`[together]`: which sensors share a process."""

import pytest

from bootstrap.config.loader import Configuration, load_process
from bootstrap.config.toml_file import SettingsError
from support.world import House

HOUSE = 'group = "cm"\n[together]\n'


@pytest.fixture
def probes(house: House) -> House:
    """Three thermometers."""
    for name in ("probe1", "probe2", "probe3"):
        house.thermometer(name)
    return house


def together(house: House, text: str) -> Configuration:
    (house.folder / "house.toml").write_text(HOUSE + text)
    return Configuration(house.folder)


def test_sensors_that_share_a_process(probes: House) -> None:
    configuration = together(probes, 'attic = ["probe1", "probe3"]\n')
    assert configuration.processes == {"attic": ["probe1", "probe3"], "probe2": ["probe2"]}
    assert configuration.faults == []
    shared, alone = load_process(probes.folder, "attic"), load_process(probes.folder, "probe2")
    assert ([one.sensor for one in shared.names], shared.label, shared.kind) == (["probe1", "probe3"], "attic", None)
    assert (alone.label, alone.kind, alone.together) == ("cm/probe2", "thermometer", False)
    with pytest.raises(SettingsError, match=r"house.toml:3: 'probe1' runs in the process 'attic'; name that instead"):
        load_process(probes.folder, "probe1")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('attic = ["probe4"]', "3: 'attic': there is no device 'probe4'; did you mean 'probe"),
        ('probe1 = ["probe2"]', "3: 'probe1' is the name of a device's file, too; choose another name for the process"),
        ('a = ["probe1"]\nb = ["probe1"]', "4: 'b': 'probe1' is already in 'a'; a sensor runs in one process"),
        ('attic = ["probe1", "probe1"]', "3: 'attic' names 'probe1' twice"),
        ('attic = "probe1"', "3: 'attic' must be a list of sensors' files without .toml, such as"),
        ("attic = []", "3: 'attic' must be a list of sensors' files"),
        ('"a b" = ["probe1"]', "3: the name of a process must be 1 to 64 ASCII letters"),
    ],
)
def test_a_fault(probes: House, text: str, fault: str) -> None:
    found = [str(one) for one in together(probes, text).faults]
    assert len(found) == 1
    assert found[0].startswith(f"house.toml:{fault}")


def test_it_must_be_a_section(probes: House) -> None:
    (probes.folder / "house.toml").write_text('group = "cm"\ntogether = 5\n')
    (fault,) = Configuration(probes.folder).faults
    assert str(fault) == "house.toml:2: 'together' must be a section, [together]"
