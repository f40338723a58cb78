"""Messages on their way to the broker, in memory or on disk, until it has acknowledged them."""
