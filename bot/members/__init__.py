"""What the bot knows of members: what they decided about themselves."""
