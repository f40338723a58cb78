"""The history in a single SQLite file."""
