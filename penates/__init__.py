"""The operator's command `penates`, with one file per sub-command in `commands`."""
