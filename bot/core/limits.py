"""What a member or a manager may give at most: each limit stands here once, with its reason.

How long each text of a question may be, and how many choices or key points it may have, is in
`data/questions.schema.json`. A member exports their data, and a server imports or exports questions,
one file at a time. How long a game may be is in the rules of each.
"""

ANSWERS_A_DAY = 50
"""Answers of one member to interviews in a day, in UTC: each takes room for good and time of the grader."""
CHALLENGES_OPEN = 5
"""Challenges of a server at a time: it asks their questions nowhere else until they close."""
DIRECT_ROWS = 10_000
"""Own questions and topics of a member's servers that are loaded for direct messages: that takes
up to a second and some 30 MB. A server that does not fit is left out; only the newest may have more.
"""
DIRECT_SERVERS = 25
"""Servers of a member whose own questions are asked in direct messages: each click there looks all
of them up."""
MAX_ANSWER = 4_000
"""Characters of an answer in sentences: as many as Discord's longest text field holds."""
MAX_ENTRIES = 100
"""Entries of a list in a file, other than topics and items: more may each be compared with each."""
MAX_FILES = 3
"""Imports and exports of a server that are under way or wait: each file is kept in memory."""
MAX_FILE_BYTES = 1 << 20
"""Bytes of a file of questions: all of it is kept in memory. 5,000 short questions fit in."""
MAX_FILE_MEMORY = 1 << 30
"""Bytes of memory for the process that reads and writes servers' files; the largest take 0.2 of it."""
MAX_FILE_SECONDS = 20
"""Processor time for reading or writing a server's file, while those of other servers wait.

The largest file that is allowed takes 1 s of it.
"""
MAX_FORMULA_DEPTH = 6
"""Levels of braces, `\\left` and `\\begin` in a formula: each doubles the time that ziamath takes.

The shipped formulas have up to 4.
"""
MAX_FORMULA_HEIGHT = 1_500
"""Pixels, at letters of 50; some 25 rows. Each pixel of a picture takes memory and time."""
MAX_FORMULA_MEMORY = 1 << 30
"""Bytes of memory for the process that draws formulas; a shipped one takes 60 MB."""
MAX_FORMULA_SECONDS = 3
"""Processor time for drawing a formula, while others wait: a shipped one takes up to 0.3 s, and
loading the libraries 0.2 s."""
MAX_FORMULA_WIDTH = 9_600
"""Pixels, at letters of 50. A formula is made to fit a card, and could not be read from here on."""
MAX_GRADED_CHARACTERS = 10_000
"""Characters of a topic's key points, misconceptions and their other wordings together: with so many,
an answer made to be slow takes the grader up to a second. The shipped topics have up to 4,849.
"""
MAX_GRADING_MEMORY = 512 << 20
"""Bytes of memory for the process that grades answers to servers' own topics; the slowest that an
import takes needs 60 MB."""
MAX_GRADING_SECONDS = 10
"""Processor time for grading an answer to a server's own topic, while answers to other servers' own
topics wait: the slowest that an import takes needs a second."""
MAX_ITEMS = 5_000
"""Questions of a pack, and a server's own that are asked: all of them are kept in memory."""
MAX_KEYS = 50
"""Names in an object of a file: none that is right has more than ten."""
MAX_NEW_FORMULAS = 200
"""Formulas that one import may add: each takes up to some seconds, for which others wait."""
MAX_OWN_ROWS = 15_000
"""A server's own questions with those that were replaced or taken out: they stay readable, so they
are loaded, too."""
MAX_OWN_TOPICS = 500
"""A server's own topics: a list of topics is searched at every key that somebody presses."""
MAX_PROBLEMS = 500
"""Problems of a file that are looked for: a file that is made to be bad has a million."""
MAX_REASON = 300
"""Characters of the reason for which a suggestion is rejected: its author reads it in one message."""
MAX_REPORT = 500
"""Characters of a report: managers read it below the question in one message."""
MAX_SOURCES = 8
"""Sources of a topic, as in the schema: all of them stand on its page."""
MAX_TEAMS = 25
"""Teams of a server: each has a line of their list, which is one message."""
MAX_TOLD_PROBLEMS = 50
"""Problems of a file that are told: nobody mends more of them at once."""
MAX_TYPED = 100
"""Characters of a typed answer: it is compared with each accepted one, letter by letter."""
REPORTS_OPEN = 5
"""Reports of one member that wait on a server at a time, as with suggestions: managers read each by itself."""
REQUESTS_A_DAY = 20
"""How often a day, in UTC, a model service is asked about one member's answers; it may cost its
operator money."""
ROUNDS_OPEN = 3
"""Rounds of a server at a time: more would take the pace of other servers."""
SUGGESTIONS_OPEN = 5
"""Suggestions of a member that wait for review on a server: managers read each by itself."""
