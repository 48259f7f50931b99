"""The way to an interview: how ready a member is, how ready they will be, and what to do today."""
