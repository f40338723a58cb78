"""What another version of the programme changes for a house, and the settings that it rewrites."""
