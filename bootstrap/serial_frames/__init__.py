"""Devices that speak in frames, on a serial port or over TCP: a worker thread opens it, talks, and closes it again."""
