"""An expander chip as a GPIO module of mqtt-io."""

from pathlib import Path

from inputs import Level
from mqtt_io.modules.gpio import GenericGPIO
from mqtt_io.types import PinType

CONFIG_SCHEMA = {"folder": {"type": "string", "required": True}}


class GPIO(GenericGPIO):
    def setup_module(self) -> None:
        self.level = Level(Path(self.config["folder"]))

    def setup_pin(self, *_: object, **__: object) -> None:
        pass

    def get_pin(self, pin: PinType) -> bool:  # noqa: ARG002 - there is one
        return self.level.read()

    def set_pin(self, pin: PinType, value: bool) -> None:
        raise NotImplementedError
