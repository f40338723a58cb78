"""The 1-Wire bus with many probes: they are converted all at once, and read one after the other."""
