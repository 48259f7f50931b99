"""The names of members, and what they chose for themselves."""
