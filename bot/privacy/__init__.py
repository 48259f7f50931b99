"""Export and erasure of members' data, and erasure of servers that removed the bot."""
