"""What the twins share: everything except the seam between sync and async database access."""
