"""The counter as a sensor module of mqtt-io."""

from pathlib import Path

from inputs import Ticks
from mqtt_io.modules.sensor import GenericSensor
from mqtt_io.types import ConfigType

CONFIG_SCHEMA = {"folder": {"type": "string", "required": True}}


class Sensor(GenericSensor):
    def setup_module(self) -> None:
        self.ticks = Ticks(Path(self.config["folder"]))

    def get_value(self, sens_conf: ConfigType) -> int | None:  # noqa: ARG002 - there is one
        return self.ticks.next()
