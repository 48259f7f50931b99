"""Private mock interviews on open questions."""
