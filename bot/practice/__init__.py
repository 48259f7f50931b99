"""Private practice with spaced repetition."""
