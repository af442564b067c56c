"""What known-answer tests of the instrument found: expected against measured."""
