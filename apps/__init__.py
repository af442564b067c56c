"""The systems under test: twin FastAPI services. They know nothing of the harness."""
