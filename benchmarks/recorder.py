"""From broker to store: the recorder with SQLite, the floor, and influxdb-client's batching WriteApi. Two minutes.

    .venv/bin/python benchmarks/recorder.py [READINGS]

Each subject's durable session is made first, then the broker is told so many readings of ten sensors, and then the
subject is started: what counts is the time from its first reading to its last, its processor time in between, and its
peak memory. The floor is paho, which drops what it hears. The WriteApi (its defaults: batches of 1000, a thread) is fed
by paho's own loop, builds a Point for each reading and writes to a server that takes everything and stores nothing.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from peers import PEERS, peer_python

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from world import Broker, House, eventually  # noqa: E402 - it lies with the tests
