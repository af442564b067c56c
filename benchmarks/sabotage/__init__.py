"""Breaks real runs on purpose, to see that a gate names what was broken."""
