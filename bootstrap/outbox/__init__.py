"""Messages for the broker, kept in memory or on disk until the broker has acknowledged them."""
