"""Displays: what they show, and how it gets onto the glass."""
