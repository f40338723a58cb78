"""What several sub-commands say alike."""

import argparse
from pathlib import Path


def sensor_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config DIR NAME`."""
    config_option(parser)
    parser.add_argument("name", metavar="NAME", help="the sensor's file in devices/, such as lamp for lamp.toml")


def config_option(parser: argparse.ArgumentParser) -> None:
    """`--config DIR`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="DIR",
        help="folder with house.toml and devices/ (default: /etc/penates, else ./config)",
    )
