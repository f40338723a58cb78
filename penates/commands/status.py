"""Show each sensor that systemd or `penates start` supervises: state, since when, restarts, last error.

states:
  online    its last read was good
  fault     it runs, but one of its measures or something else has a problem
  starting  it has not read yet
  waiting   it ended and will be restarted, later each time
  failed    its settings have faults; change them and run `penates reload`
  stopping  it was asked to stop
  stopped   it has stopped

The exit code is 0 only if every sensor is online.
"""

import argparse
from pathlib import Path

from bootstrap.config.loader import Configuration, folder_or_default
from bootstrap.supervisor.control_socket import NotRunning, Unavailable
from penates.console.arguments import house_arguments as arguments
from penates.console.output import show
from penates.console.supervisor_request import request
from penates.files.install_paths import HOUSE

START = "; `penates start` starts one, and `penates supervisor` runs it in this terminal"
__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor, or systemd if there is no supervisor and the house is installed."""
    try:
        return request(given, "status")
    except Unavailable as error:
        folder = folder_or_default(given.config)
        if folder.resolve() != HOUSE or not (found := _rows(folder)):
            raise type(error)(f"{error}{START if isinstance(error, NotRunning) else ''}") from None
        return show({"sensors": found}, as_json=given.json)


def _rows(folder: Path) -> list[dict[str, object]]:
    """Return a row for each sensor's unit, or none without systemd."""
    from penates.installer.unit_states import of_sensor, row, units  # noqa: PLC0415 - needed only here

    configuration = Configuration(folder, secrets=False)
    sensors = configuration.all()
    found = units(configuration.processes)
    processes = configuration.processes.items() if found else ()
    return [row(name, of_sensor(found, name), [sensors.get(one) for one in files]) for name, files in processes]
