"""One file per kind of device; each reads like a data sheet."""
