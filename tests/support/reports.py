"""What a sensor reports of itself, as it is published."""

import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any


def reports(state: str, ago_s: float = 1, host: str = "", **more: Any) -> dict[str, bytes]:
    said = (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat()
    heartbeat = {"time": said, "heartbeat_s": 60.0, "on_disk": 0, "dropped": 0, "storage": None, **more}
    about = {"host": host or socket.gethostname()}
    return {
        "state": state.encode(),
        "heartbeat": json.dumps(heartbeat).encode(),
        "about": json.dumps(about).encode(),
    }
