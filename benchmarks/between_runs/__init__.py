"""How often claims between two runs are false, and what change they find."""
