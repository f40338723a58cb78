"""What is connected to this machine, and which kind serves it: for `penates scan` and `penates init`."""
