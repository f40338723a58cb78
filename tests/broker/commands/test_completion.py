"""`penates completion`: what a shell completes."""

import subprocess
import sys

from support.world import House

PENATES = [sys.executable, "-m", "penates"]


def completion(house: House, shell: str) -> str:
    command = [*PENATES, "completion", shell]
    return subprocess.run(command, env=house.env(), capture_output=True, text=True, check=True).stdout


def test_completion_is_sound_shell(house: House) -> None:
    subprocess.run(["bash", "-n"], input=completion(house, "bash"), text=True, check=True)
    assert "_penates_sensors" in completion(house, "zsh")


def test_bash_completes_commands_options_sensors_and_kinds(house: House) -> None:
    house.write(1)
    house.thermometer("cellar")
    house.thermometer("kitchen")
    tries = """
    try() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
      COMP_POINT=${#COMP_LINE}
      _shtab_penates
      echo "${COMPREPLY[*]}"
    }
    try penates st
    try penates watch --j
    try penates restart --config HOUSE k
    try penates run --config HOUSE ''
    try penates hi
    try penates history --config HOUSE ce
    try penates import --pr
    try penates new doo
    try penates kinds thermom
    try penates new DS18B2
    """.replace("HOUSE", str(house.folder))
    script = completion(house, "bash") + tries
    tried = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert tried.stdout.splitlines() == [
        *("start stop status", "--json", "kitchen", "cellar kitchen"),
        *("history", "cellar", "--precision", "door", "thermometer", "DS18B20"),
    ]
