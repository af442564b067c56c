"""The twin whose database access is async: `async def` endpoints on the event loop."""

NAME = "async"
"""What this twin is called in specs, settings and reports."""
