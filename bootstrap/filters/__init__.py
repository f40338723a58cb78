"""Filters of measures: what becomes of a value between the device and the wire."""
