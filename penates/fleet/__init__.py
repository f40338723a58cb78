"""The sensors on a broker, as an operator sees them."""
