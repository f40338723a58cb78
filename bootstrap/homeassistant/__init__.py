"""Announcing sensors to Home Assistant."""
