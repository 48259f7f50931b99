"""/profile: what a member has reached, and their own choices."""
