"""Plans for an interview: how ready a member is, how ready they will be, and what to do today."""
