"""Taking over a configuration of mqtt-io: device files for what has a counterpart, and a list of what has none."""
