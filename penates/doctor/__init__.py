"""The checks of `penates doctor`."""
