"""Run one sensor in the foreground, until Ctrl-C or SIGTERM.

NAME is the name of the sensor's file in devices/, without .toml, or a name in [together]: then all sensors of that
process run. It logs to stderr.

exit codes:
  0   stopped in order
  1   the device was absent at the start
  70  a bug; the log shows where
  75  the sensor is already running
  78  the settings are wrong; nothing was opened
"""

import argparse

from bootstrap.config.loader import folder_or_default, load_process
from bootstrap.errors import Exit
from bootstrap.runtime import process
from penates.console.arguments import sensor_arguments as arguments

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> Exit:
    """Run this sensor and return its exit code."""
    return process.run(load_process(folder_or_default(given.config), given.name))
