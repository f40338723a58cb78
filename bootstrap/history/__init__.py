"""Recording the history in a store, and reading it back."""
