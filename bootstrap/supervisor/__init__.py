"""The supervisor: one parent that forks every sensor as its own process and restarts those that end."""
