"""Backups of a house: its configuration and its history in one file, and the way back."""
