"""Installing a house on this machine: users, units and what each sensor may do."""
