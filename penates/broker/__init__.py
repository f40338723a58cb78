"""Mosquitto's configuration, users and certificates."""
