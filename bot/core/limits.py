"""Limits that protect the process from strangers: on the size, number and time of their requests.

Each has its reason. The limits of a game are in its rules, and those of a question's texts in
`data/questions.schema.json`.
"""

ANSWERS_A_DAY = 50
"""Answers in sentences of one member in a day: each is stored and takes the grader's time. Those
to interviews and to questions of the day are counted apart. All days of limits are in UTC.
"""
CHALLENGES_OPEN = 5
"""Challenges of a server at a time: their questions are asked nowhere else there until they close."""
CHALLENGE_PINGS = 3
"""Challenges of one member that mention the same other one within a day; later ones name them."""
CONNECTIONS = 8
"""Connections to PostgreSQL that a process opens at most, unless DATABASE_CONNECTIONS says so:
the server starts a process of its own for each."""
DIRECT_BYTES = 6 << 20
"""Bytes of own questions and topics of a member's servers that are loaded for direct messages, as
`MAX_OWN_BYTES` counts them. A server that does not fit is left out, unless it is the newest.
"""
DIRECT_SERVERS = 25
"""At most so many of a member's servers have their own questions asked in direct messages.

Each click there looks up all of these servers.
"""
INTERVIEWS_A_DAY = 50
"""Interviews that a member starts in a day: each is stored, also without an answer."""
MAX_ALT_TEXT = 300
"""Characters of what a picture shows, as in the schema: cards hold it too."""
MAX_ANSWER = 4_000
"""Characters of an answer in sentences: the maximum of a text field in a modal.

https://discord.com/developers/docs/components/reference#text-input
"""
MAX_ARCHIVE_BYTES = 10 << 20
"""Bytes of a .zip with questions and pictures: MAX_PICTURES_BYTES, and JSON in the rest
of the 10 MiB that Discord takes."""
MAX_BACKUP_MEMORY = 64 << 20
"""Bytes of memory for the process that copies the database; it takes 30 MB, however large that is."""
MAX_BACKUP_SECONDS = 3_600
"""Processor time in seconds for a copy of the database: 20 GB take a minute."""
MAX_CALL_MESSAGE = 1 << 20
"""Bytes of a call of a process without a limit of its own, and of its result: formulas and topics are short, and the
largest picture of a formula has 0.1 million."""
MAX_CLICKS = 10
"""Clicks, commands and key presses of one member that are being answered at a time. More are
ignored: a program may send hundreds in a second, and others' wait behind them."""
MAX_CODE = 1_000
"""Characters of a question's code, as in the schema."""
MAX_CODE_COLUMNS = 60
"""Characters of a line of code that a manager writes in a form: a phone wraps longer ones."""
MAX_CODE_LINES = 12
"""Lines of code that a manager writes in a form: a card with more pushes its buttons off a phone."""
MAX_DAILIES = 5
"""Questions of the day of a server: each posts once a day, and all of them fit in one list."""
MAX_DAILY_NAME = 30
"""Characters of a daily's name, which is shown in headings and on buttons: a phone's line has about
40."""
MAX_DECK_BYTES = 8 << 20
"""Bytes of a deck for Anki that is made: Discord takes 10 MiB, and all of it is kept in
memory. The shipped questions take 0.6.
"""
MAX_DECK_FORMULAS = 100
"""Formulas that are drawn for one deck, if they are not drawn already: each may take
seconds. The others are in the deck as LaTeX."""
MAX_DECK_WAIT = 15.0
"""Seconds that a deck waits for its formulas to be drawn: fifty usual ones. A member who asks again
gets more of them."""
MAX_DRAWING_MEMORY = 96 << 20
"""Bytes of memory for the process that draws the bot's own pictures and counts the bank's words: the
highest picture takes 50 MB."""
MAX_DRAWING_MESSAGE = 16 << 20
"""Bytes of a call of that process, or of the one that grades, and of its result: the words of the
shipped bank have 0.4 million, those of an operator's may have more."""
MAX_DRAWING_SECONDS = 30
"""Processor time in seconds for a picture, which takes up to 0.3, and for counting, which takes 2."""
MAX_ENTRIES = 100
"""Entries of a list in a file, other than topics and items: all pairs of entries may be compared."""
MAX_FILES = 3
"""Imports and forms of a server that run or wait: each keeps what was sent in memory."""
MAX_FILES_WAITING = 50
"""Files and decks of all servers that are being made or read, or wait, and a tenth of them of one
server: each has its questions and pictures in memory."""
MAX_FILE_BYTES = 1 << 20
"""Bytes of a file of questions: all of it is kept in memory. 5,000 short questions fit in."""
MAX_FILE_MEMORY = 352 << 20
"""Bytes of memory for the process that reads and writes files and decks for Anki; the largest picture
and the largest export take 250 MB."""
MAX_FILE_MESSAGE = 24 << 20
"""Bytes of what is sent to that process, and of its result: MAX_ARCHIVE_BYTES or MAX_PICTURES_BYTES,
MAX_OWN_BYTES, and the bank."""
MAX_FILE_PIXELS = 100_000_000
"""Pixels of all new pictures of one file: drawing them takes 10 to 17 s."""
MAX_FILE_SECONDS = 20
"""Processor time in seconds for a file or a deck for Anki, while others wait.

The largest allowed file takes 1 s, a deck of 15,000 questions 4 s.
"""
MAX_FIT_ANSWERS = 10
"""Answers to an item on its first day that first stabilities are fitted to."""
MAX_FIT_ITEMS = 1_000
"""Items that they are fitted to: with ten different answers to each, that takes 3 s."""
MAX_FORMULA_DEPTH = 6
"""Levels of braces, `\\left` and `\\begin` in a formula: each doubles ziamath's time.

The shipped formulas have up to 4.
"""
MAX_FORMULA_HEIGHT = 1_500
"""Pixels, with letters of 50; about 25 rows. Each pixel of a picture takes memory and time."""
MAX_FORMULA_MEMORY = 128 << 20
"""Bytes of memory for the process that draws formulas; the largest allowed one takes 60 MB."""
MAX_FORMULA_SECONDS = 3
"""Processor time in seconds for drawing a formula, while others wait: a shipped one takes up to
0.3 s, and loading the libraries 0.2 s."""
MAX_FORMULA_WAIT = 2.0
"""Seconds that a card waits for its formula to be drawn; then it has it in words, and later cards
have the picture."""
MAX_FORMULA_WIDTH = 9_600
"""Pixels, with letters of 50. A formula is scaled to fit a card; a wider one would be unreadable."""
MAX_GRADED_CHARACTERS = 10_000
"""Characters of a topic's key points, misconceptions, their other wordings and opposites together:
at the limit, a hostile answer takes the grader up to a second. The shipped topics have up to 6,423.
"""
MAX_GRADING_MEMORY = 128 << 20
"""Bytes of memory for the process that grades answers to servers' own topics; the slowest topic
that an import accepts needs 60 MB."""
MAX_GRADING_SECONDS = 10
"""Processor time in seconds for grading an answer to a server's own topic, while answers to other
servers' own topics wait: the slowest topic that an import accepts needs a second."""
MAX_ITEMS = 5_000
"""Questions of a pack, and own questions of a server that are asked: all are kept in memory."""
MAX_KEYS = 50
"""Names in an object of a file: no valid one has more than ten."""
MAX_LARGE_FILES = 2
"""Uploaded pictures, and files with pictures that are in memory at a time; the others wait
before they are downloaded."""
MAX_MILESTONES = 10
"""Milestones of a server: each night all its members are looked through for each."""
MAX_NEW_FORMULAS = 100
"""Formulas that one import may add: each takes up to some seconds, and a large file keeps its place
while they are drawn. The shipped packs have fewer."""
MAX_OWN_BYTES = 6 << 20
"""Bytes of a server's own questions and topics, including replaced and retired ones: these stay
readable, so they are loaded too. 5,000 questions as long as the shipped ones fit in. With an emoji
in each text they take 28 MB of memory.
"""
MAX_OWN_TOPICS = 500
"""A server's own topics: autocomplete searches them at every key press."""
MAX_PICTURES = 300
"""Pictures of a server's own questions: an import decodes each of them."""
MAX_PICTURES_BYTES = 8 << 20
"""Bytes of all pictures of a server's own questions: an export has to fit in the 10 MiB that
Discord takes, and the database holds them for every server."""
MAX_PICTURE_BYTES = 8 << 20
"""Bytes of a picture that is uploaded: all of it is kept in memory until it is drawn smaller."""
MAX_PICTURE_HEIGHT = 1_600
"""Pixels of a stored picture. A phone shows a higher one with letters too small to read."""
MAX_PICTURE_PIXELS = 24_000_000
"""Pixels of a picture that is uploaded: decoding takes up to nine bytes for each. Phones take
photos of 12 to 24 million, larger ones only if asked to."""
MAX_PICTURE_STORED = 300_000
"""Bytes of a stored picture: each edit of a card uploads it again."""
MAX_PICTURE_WIDTH = 1_200
"""Pixels of a stored picture. A phone shows it 300 to 400 points wide, with three pixels a point."""
MAX_PIECES = 10
"""Lines of code to put in order, with those that don't belong: each is one digit of an answer, and a
custom id holds all of them."""
MAX_PROBLEMS = 500
"""Problems that a check of a file finds at most: a hostile file has a million."""
MAX_REASON = 300
"""Characters of the reason for rejecting a suggestion: its author reads it in one message."""
MAX_REPORT = 500
"""Characters of a report: managers read it below the question in one message."""
MAX_SOURCES = 8
"""Sources of a topic, as in the schema: its page shows all of them."""
MAX_SPENT_SECONDS = 120
"""Seconds that the files of a server may take in `PAUSE_MINUTES`, and its formulas: a hundred usual
ones take 30, and until its formulas are drawn an import holds up other large files."""
MAX_START_MEMORY = 512 << 20
"""Bytes of memory for the process that migrates a database or checks the bank, before any other
process has begun: 70 MB for a first start, and a later migration may have to load rows."""
MAX_START_MESSAGE = 64 << 20
"""Bytes of the bank, which is sent to that process; the shipped one has 2 million."""
MAX_START_SECONDS = 3_600
"""Processor time in seconds for a migration or for the check of the bank."""
MAX_TEAMS = 25
"""Teams of a server: their list is one message with a line for each."""
MAX_TOLD_PROBLEMS = 50
"""Problems of a file that are shown: nobody fixes more of them at once."""
MAX_TYPED = 100
"""Characters of a typed answer: it is compared with each accepted one, letter by letter."""
MAX_UPLOADS = 2
"""Files for members that are made or uploaded at a time: each is in memory until Discord has it."""
MAX_UPLOADS_WAITING = 100
"""Those that are made, uploaded or wait, and a tenth of them of one server: Discord takes a reply up to
15 minutes after the click."""
MAX_WAITING = 1_000
"""Pieces of work of all servers in a queue, and a tenth of them of one server if they keep memory:
nobody waits long for a reply."""
MAX_WEBP_PIXELS = 12_000_000
"""Pixels of a WebP picture that is uploaded: its decoder takes 16 bytes for each."""
OWN_ROW_BYTES = 200
"""Bytes that each own question or topic counts in addition to its texts: otherwise, 80,000
without words would take as much memory as those with the longest texts."""
PARTNERS_A_DAY = 3
"""Interviews with a partner, and cards that look for one, of a member in a day: each opens a
thread or posts a message, which others read."""
PAUSE_MINUTES = 10
"""After work that took too much time or memory, nothing of its kind is done for its server."""
REMINDERS_A_DAY = 10
"""Times that a member sets their reminder in a day: each may send a direct message at once, and
Discord blocks bots that send too many."""
REPORTS_A_DAY = 20
"""Reports of one member in a day, on all servers and in direct messages: each is stored and read."""
REPORTS_OPEN = 5
"""Reports of one member that wait on a server: managers read each one."""
REQUESTS_A_DAY = 20
"""Requests to a model about one member's interview answers in a day: they may cost money."""
REQUESTS_OF_ALL_A_DAY = 2_000
"""Requests to a model about all members' answers in a day: no number of accounts makes the
operator's bill longer."""
ROUNDS_OPEN = 3
"""Rounds of a server at a time: more would use up the request rate of other servers."""
SUGGESTIONS_A_DAY = 20
"""Suggestions of one member in a day: each may be announced in a channel, and an erasure takes
back those that wait."""
SUGGESTIONS_OPEN = 5
"""Suggestions of a member that wait for review on a server: managers read each one."""
