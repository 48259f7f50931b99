"""What a member or a manager may give at most: each limit stands here once, with its reason."""

ANSWERS_A_DAY = 50
"""Answers of one member to interviews in a day, in UTC: each takes room for good and time of the grader."""
MAX_FILE_MEMORY = 1 << 30
"""Bytes of memory for the process that reads and writes servers' files."""
MAX_FILE_SECONDS = 20
"""Processor time for reading or writing a server's file, while those of other servers wait."""
MAX_FILES = 3
"""Imports and exports of a server that are under way or wait: each file is kept in memory."""
MAX_FORMULA_DEPTH = 6
"""Levels of braces, `\\left` and `\\begin` in a formula: each doubles the time that ziamath takes.

The shipped formulas have up to 4.
"""
MAX_FORMULA_HEIGHT = 1_500
"""Pixels, at letters of 50; some 25 rows. Each pixel of a picture takes memory and time."""
MAX_FORMULA_WIDTH = 9_600
"""Pixels, at letters of 50. A formula is made to fit a card, and could not be read from here on."""
MAX_NEW_FORMULAS = 200
"""Formulas that one import may add: each takes up to some seconds, for which others wait."""
MAX_OWN_ROWS = 15_000
"""A server's own questions with those that were replaced or taken out: they stay readable, so they
are loaded, too."""
MAX_OWN_TOPICS = 500
"""A server's own topics: a list of topics is searched at every key that somebody presses."""
MAX_TOLD_PROBLEMS = 50
"""Problems of a file that are told: nobody mends more of them at once."""
REPORTS_OPEN = 5
"""Reports of one member that wait on a server at a time, as with suggestions: managers read each by itself."""
