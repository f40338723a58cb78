"""The operator's command `penates`: one file per sub-command."""
