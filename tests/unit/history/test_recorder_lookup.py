"""Which sensor of a configuration is its recorder, and why there seems to be none."""

from contextlib import redirect_stderr
from io import StringIO

from penates.__main__ import main
from support.configuration import CELLAR, faults
from support.world import House


def said(house: House, *words: str) -> str:
    with redirect_stderr(StringIO()) as stderr:
        assert main([*words, "--config", str(house.folder)]) == 78
    return stderr.getvalue()


def test_a_recorder_whose_file_is_faulty_is_there_all_the_same(house: House) -> None:
    faults(house, devices={"cellar": CELLAR, "recorder": 'kind = "recorder"\nkeep_days = 400,0\n'})
    why = "devices/recorder.toml:2: not TOML: Expected newline or end of document after a statement; use a decimal"
    assert said(house, "history", "cellar").startswith(why)


def test_a_house_without_one_is_told_how_to_make_one(house: House) -> None:
    faults(house)
    assert said(house, "history", "cellar").startswith("devices:1: there is no recorder; make devices/recorder.toml")


def test_a_house_file_that_hides_its_state_folder_is_at_fault_and_not_the_supervisor(house: House) -> None:
    faults(house, 'group = "cm"\nstate = "state\n')
    assert said(house, "status").startswith("house.toml:2: not TOML: Illegal character")
