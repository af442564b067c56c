"""Whether a run's later arms are slower than its first by more than is allowed (`bench gate`)."""
