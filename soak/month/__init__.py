"""A month in minutes: the real bot, habits of a thousand members, and thirty virtual days on the loopback Discord."""
