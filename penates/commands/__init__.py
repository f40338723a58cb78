"""One module for each sub-command, and nothing else."""
