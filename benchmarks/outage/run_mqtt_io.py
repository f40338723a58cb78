"""mqtt-io, with the modules in this folder beside its own: run_mqtt_io.py CONFIG."""

from pathlib import Path

import mqtt_io.modules.gpio
import mqtt_io.modules.sensor
from mqtt_io.__main__ import main

HERE = str(Path(__file__).parent)

mqtt_io.modules.gpio.__path__.append(HERE)
mqtt_io.modules.sensor.__path__.append(HERE)
main()
