"""What the tests of every room use: brokers, houses, databases, machines, odd devices."""
