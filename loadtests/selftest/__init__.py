"""Known-answer tests of the instrument: servers whose answers are known, and measuring them."""
