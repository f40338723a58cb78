"""What every sensor process of a house shares: configuration, topics, the link to the broker, the event loop."""

__version__ = "0.2.0"
