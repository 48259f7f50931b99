"""How fast and how big the bot is, against a client that does nothing but acknowledge: `python -m benchmarks`."""
