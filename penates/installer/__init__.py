"""The installation of a house on this machine: users, units and what each sensor is allowed to do."""
