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
    """A kind of custom id: its name, and for each field a pattern that must match in full."""

    def __init__(self, name: str, fields: Mapping[str, str]) -> None:
        self.name = name
        self.fields = fields
        patterns = "".join(f":(?P<{field}>{pattern})" for field, pattern in fields.items())
        self._whole = re.compile(f"{name}:{VERSION}{patterns}")

    def id(self, **values: object) -> str:
        """The custom id with these values; raises ValueError if it could not be read back."""
        custom_id = ":".join([self.name, VERSION, *(str(values[field]) for field in self.fields)])
        if set(values) != set(self.fields) or self.parse(custom_id) is None or len(custom_id) > 100:
            raise ValueError(custom_id)
        return custom_id

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
REPORTED = Route("reported", {"source": SOURCE, "row": ROW})
MINE = Route("mine", {"round": ROW, "page": PAGE})
BOARD = Route("board", {"slot": "prev|next|period", "period": PERIOD, "topic": TOPIC, "page": PAGE})
TOPICS = Route("topics", {"slot": "prev|next", "page": PAGE})
PRACTISE = Route("practise", {"topic": TOPIC})
NEXT = Route("next", {"practice": ROW})
END = Route("end", {"practice": ROW})
QUIET = Route("quiet", {})
STATS = Route("stats", {"do": "show|hide"})

# An interview: open the modal, the modal, a page of the feedback, on to the next question. Rows are its questions.
INTERVIEW = Route("interview", {"row": ROW})
INTERVIEWED = Route("interviewed", {"row": ROW})
FEEDBACK = Route("feedback", {"row": ROW, "page": PAGE})
STEP = Route("step", {"slot": "skip|stop|next|end", "row": ROW})
# The open question of the day: the same of its card. Rows are dailies.
OPEN = Route("open", {"source": "daily", "row": ROW})
ESSAY = Route("essay", {"source": "daily", "row": ROW})
OWN = Route("own", {"source": "daily", "row": ROW, "page": PAGE})
