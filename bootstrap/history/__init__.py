"""Recording the history, and reading it back from whichever store holds it."""
