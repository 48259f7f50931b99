"""How much a member or a manager may give, each limit with its reason."""

MAX_OWN_ROWS = 15_000
"""A server's own questions with those that were replaced or taken out: they stay readable, so each look loads them."""
MAX_OWN_TOPICS = 500
"""A server's own topics: a list of topics is searched at every key that somebody presses."""
