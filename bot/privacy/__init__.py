"""What the bot has stored about a member: to be read, and to be erased; and what becomes of servers that left."""
