"""The MQTT session with the broker."""
