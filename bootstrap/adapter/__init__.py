"""Devices of other makes that already speak MQTT: what profiles say of their topics, and what becomes of messages."""
