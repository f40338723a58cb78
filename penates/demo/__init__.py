"""A house of nine sensors and a recorder on one machine: `penates demo`."""
