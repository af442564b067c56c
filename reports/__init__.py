"""How measurements become answers. Reads stored samples only; needs no server."""
