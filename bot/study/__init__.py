"""A topic to read up on: its open question, what a good answer says, and how the reader is doing in it."""
