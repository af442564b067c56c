"""Which sharing of two cores measures best."""
