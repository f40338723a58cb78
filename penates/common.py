"""What several sub-commands say alike."""

import argparse
from pathlib import Path


def config_option(parser: argparse.ArgumentParser) -> None:
    """`--config DIR`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="DIR",
        help="folder with house.toml and devices/ (default: /etc/penates, else ./config)",
    )
