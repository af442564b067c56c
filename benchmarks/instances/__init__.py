"""Where the spread between instances of identical code comes from."""
