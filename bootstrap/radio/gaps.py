"""What a decoder cannot tell: values at which a transmission is dropped, though the station is well."""

import math
from collections.abc import Mapping
from typing import Any

ALECTO, STEP, NEAR = "AlectoV1", 1.6, 0.25  # °C


def hidden(model: str, name: str, last: Mapping[str, Any]) -> bool:
    """Return whether a measure may be missing because of what it is near; `last` are the newest values.

    Messages of an AlectoV1 with a good battery are dropped at each multiple of 1.6 °C.
    """
    if not model.startswith(ALECTO) or name not in ("temperature", "humidity"):
        return False
    temperature = last.get("temperature")
    return isinstance(temperature, int | float) and abs(math.remainder(temperature, STEP)) <= NEAR
