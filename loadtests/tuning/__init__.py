"""The search for a pool setting: what can be tried, in which order, and who stays in the race."""
