"""The hello on a new server, and /help."""
