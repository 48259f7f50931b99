"""Rounds: questions to a channel, one after the other.

The story of a round, and the module of each part:

1. `/quiz` or a button starts it (`service.py`): questions are drawn, and a row stored that is due in
   eight seconds. From then on `work.py` moves the row through its phases, whenever it is due.
2. ask -> asking -> open: the question is posted once. It is open from the time in its message's id.
3. A click is one transaction (`answering.py`) that locks the round, judges and stores the answer, and
   makes the reveal due earlier if everybody who plays has answered. `counter.py` counts on the card.
4. open -> reveal -> pause: the card shows the answer (`messages.py`), "Locked in" lines become results
   (`results.py`). A click from before the end counts until the pause is over.
5. At its end the answers are scored. Then comes the next question, or standings -> closing -> ended.

All of it is in the database, so each step goes on after a crash from the phase that it finds.
"""
