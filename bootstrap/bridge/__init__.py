"""Two sites, each with a broker of its own, seen as one: what `daemons/bridge.py` is made of."""
