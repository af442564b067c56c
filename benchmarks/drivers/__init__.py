"""The four database drivers side by side, on the twins' own endpoints."""
