"""How fast the load generator is, beside stock Locust and wrk."""
