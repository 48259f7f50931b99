"""The names of members, what they chose for themselves, and the roles that are teams."""
