"""Import paho-mqtt without the modules that it needs only for proxies.

paho imports `urllib.request` to look up a proxy, and with it `http.client` and `email`: 2.5 MB and 15 ms. A session on
a socket that is already connected never asks for one. While paho is imported, an empty module stands in for
`urllib.request`; afterwards everything is as it was.
"""

import sys
from types import ModuleType

_PROXIES = "urllib.request"
_stand_in = sys.modules.setdefault(_PROXIES, ModuleType(_PROXIES))
try:
    from paho.mqtt import client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
    from paho.mqtt.exception import MalformedPacket
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
    from paho.mqtt.subscribeoptions import SubscribeOptions
finally:
    if not hasattr(_stand_in, "__file__"):
        del sys.modules[_PROXIES]

__all__ = [
    "CallbackAPIVersion",
    "MQTTErrorCode",
    "MalformedPacket",
    "PacketTypes",
    "Properties",
    "ReasonCode",
    "SubscribeOptions",
    "client",
]
