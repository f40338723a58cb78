"""A running sensor process: reading its device, publishing, executing commands."""
