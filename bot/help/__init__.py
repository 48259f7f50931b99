"""Hello on a new server, /help, and the test round for managers."""
