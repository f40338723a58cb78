"""Settings: the TOML files of a house, their model, secrets and kinds of device."""
