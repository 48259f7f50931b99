"""A server's own questions: in and out as files, one by one, and what follows from a corrected key."""
