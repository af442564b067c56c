"""The relay: a process between the arms and their database that adds a round-trip time."""
