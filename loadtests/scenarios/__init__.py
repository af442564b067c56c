"""What the users do: weighted requests, key choice, and the Locust users that send them."""
