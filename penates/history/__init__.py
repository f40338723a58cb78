"""Showing the recorded history, and importing what others have recorded."""
