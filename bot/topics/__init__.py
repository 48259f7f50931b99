"""/topics: the sections and topics with a member's progress, and decks for Anki."""
