"""Logging to a terminal, to systemd's journal or to a rotating file."""
