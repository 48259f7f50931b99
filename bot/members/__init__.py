"""What the bot knows of members: what they are called, and what they decided about themselves."""
