"""What the twins do when clients, crowds, signals and the database itself misbehave."""
