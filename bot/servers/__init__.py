"""What a server sees of the bot as a whole: help."""
