"""The recorded history: showing it, and importing readings from other programs."""
