"""What every daemon of the house shares: configuration, topics, the link to the broker, the life of a process."""

from importlib.metadata import version

__version__ = version("penates")
