"""The load generator's own process: users, connections, trials, and its controller's socket."""
