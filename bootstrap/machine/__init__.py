"""What this machine tells of itself beyond single files: interfaces, disks, low voltage, services, updates."""
