"""Alarm loops: contacts with resistors at the end of a line, read by a converter."""
