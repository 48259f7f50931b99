"""How much a member or a manager may give, each limit with its reason."""

MAX_IMPORTS = 3
"""Files of a server that are read or wait for it: each is kept in memory."""
MAX_OWN_ROWS = 15_000
"""A server's own questions with those that were replaced or taken out: they stay readable, so they
are loaded, too."""
MAX_OWN_TOPICS = 500
"""A server's own topics: a list of topics is searched at every key that somebody presses."""
MAX_TOLD_PROBLEMS = 50
"""Problems of a file that are told: nobody mends more of them at once."""
