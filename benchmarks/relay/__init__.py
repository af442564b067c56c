"""How exactly the relay keeps the distance that is asked for."""
