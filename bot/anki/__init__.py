"""/anki: a bank's closed questions as a deck for Anki, and reading decks."""
