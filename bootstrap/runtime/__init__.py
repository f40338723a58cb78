"""The life of a sensor process: reading its device, reporting, obeying commands."""
