"""What a server sees of the bot as a whole: hello and help."""
