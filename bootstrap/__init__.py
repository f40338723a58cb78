"""What every daemon of the house shares: configuration, topics, the link to the broker, the life of a process."""

__version__ = "0.1.0"
