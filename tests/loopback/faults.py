"""Faults that tests set up: which request fails how, how often, and before or after its effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

When = Literal["before", "after"]
Kind = Literal["status", "drop", "delay", "hang", "kill"]


@dataclass(eq=False)
class Call:
    """A REST request as seen by the server. `status` is None if it was never answered."""

    method: str
    template: str
    ids: tuple[str, ...]
    query: dict[str, str]
    body: dict[str, Any]
    files: list[tuple[str, str, bytes]]
    at: float
    status: int | None = None
    fault: Fault | None = None


@dataclass(eq=False)
class Fault:
    """A failure of a request.

    `status`, `drop`, `hang` and `kill` replace the real response; `delay` only makes it late.
    `kill` calls `act`, which kills or stops the bot, and then drops the connection; other kinds
    call `act` too if it is set. With `when="after"` the effect has happened by then. `everywhere`
    makes a 429 a global one.
    """

    kind: Kind
    method: str
    template: str
    when: When = "before"
    times: int = 1
    skip: int = 0
    status: int = 500
    seconds: float = 1.0
    everywhere: bool = False
    predicate: Callable[[Call], bool] | None = None
    act: Callable[[], object] | None = None
    hits: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.status if self.kind == 'status' else self.kind} {self.when}"

    def fits(self, call: Call) -> bool:
        same = self.method in {"*", call.method} and self.template in {"*", call.template}
        return same and (self.predicate is None or self.predicate(call))


class Faults:
    """The faults that are set up, in order."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self.hit: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self.armed.append(fault)
        return fault

    def next_for(self, call: Call) -> Fault | None:
        """Return the fault for a request and count it as hit."""
        for fault in self.armed:
            if not fault.fits(call):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self.armed.remove(fault)
            fault.hits.append(call)
            self.hit.append(fault)
            return fault
        return None
