"""Custom ids: what a click brings back. Ids and shown positions only, never anything that tells the right answer.

An id is `name:v1:field:field…`, under 100 characters. It is parsed whole and strictly: what Discord sends back was
chosen by a client, which may send anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

VERSION = "v1"
ROW = "[1-9][0-9]{0,17}"
PAGE = "0|[1-9][0-9]{0,5}"
SOURCE = "round|daily"
ANY_SOURCE = "round|daily|practice"
PERIOD = "today|week|month|all"
TOPIC = "[a-z0-9-]{0,48}"


class Route:
    """A kind of custom id: its name, and for each field a pattern that must match in full.

    `once`: what it asks for must not be done by two processes that hear of the same click. Answers to rounds and
    dailies need no such care, as the database takes only one a member.
    """

    def __init__(self, name: str, fields: Mapping[str, str], *, once: bool = False) -> None:
        self.name = name
        self._once = once
        self.fields = fields
        patterns = "".join(f":(?P<{field}>{pattern})" for field, pattern in fields.items())
        self._whole = re.compile(f"{name}:{VERSION}{patterns}")

    def id(self, **values: object) -> str:
        """The custom id with these values; raises ValueError if it could not be read back."""
        custom_id = ":".join([self.name, VERSION, *(str(values[field]) for field in self.fields)])
        if set(values) != set(self.fields) or self.parse(custom_id) is None or len(custom_id) > 100:
            raise ValueError(custom_id)
        return custom_id

    def once(self, fields: Mapping[str, str]) -> bool:
        """Whether a click with these fields is for the first process alone."""
        return self._once or fields.get("source") == "practice"

    def parse(self, custom_id: str) -> dict[str, str] | None:
        """The fields of a custom id, or None if it is not one of this route."""
        found = self._whole.fullmatch(custom_id)
        return found.groupdict() if found else None


ANSWER = Route("answer", {"source": ANY_SOURCE, "row": ROW, "position": "[0-5]"})
PICKS = Route("picks", {"source": ANY_SOURCE, "row": ROW})
WRITE = Route("write", {"source": ANY_SOURCE, "row": ROW})
TYPED = Route("typed", {"source": ANY_SOURCE, "row": ROW})
WHY = Route("why", {"source": ANY_SOURCE, "row": ROW})
REPORT = Route("report", {"source": SOURCE, "row": ROW})
REPORTED = Route("reported", {"source": SOURCE, "row": ROW}, once=True)
MINE = Route("mine", {"round": ROW, "page": PAGE})
BOARD = Route("board", {"slot": "prev|next|period", "period": PERIOD, "topic": TOPIC, "page": PAGE})
TOPICS = Route("topics", {"slot": "prev|next", "page": PAGE})
PRACTISE = Route("practise", {"topic": TOPIC}, once=True)
NEXT = Route("next", {"practice": ROW}, once=True)
END = Route("end", {"practice": ROW}, once=True)
QUIET = Route("quiet", {}, once=True)
STATS = Route("stats", {"do": "show|hide"}, once=True)

# An interview: open the modal, the modal, a page of the feedback, on to the next question. Rows are its questions.
INTERVIEW = Route("interview", {"row": ROW})
INTERVIEWED = Route("interviewed", {"row": ROW}, once=True)
FEEDBACK = Route("feedback", {"row": ROW, "page": PAGE})
STEP = Route("step", {"slot": "skip|stop|next|end", "row": ROW}, once=True)
# The open question of the day: the same of its card. Rows are dailies.
OPEN = Route("open", {"source": "daily", "row": ROW})
ESSAY = Route("essay", {"source": "daily", "row": ROW}, once=True)
OWN = Route("own", {"source": "daily", "row": ROW, "page": PAGE})
