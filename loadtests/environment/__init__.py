"""What a measurement stands on: the database, the arms' processes, the machine and its readings."""
