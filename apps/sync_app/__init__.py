"""The twin whose database access is sync: `def` endpoints in worker threads."""

NAME = "sync"
"""What this twin is called in specs, settings and reports."""
