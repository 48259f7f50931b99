"""The bot is killed at every point between two effects, and nothing is lost or doubled.

Each case is a real process against the loopback Discord, which kills it on receiving a request,
before or after that request has its effect. Or the bot gets SIGTERM there, and must end quickly and
cleanly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.crash.partners import play_partners, played
from tests.crash.play import cards, revealed
from tests.crash.stage import (
    SECONDS,
    Stage,
    play_challenge,
    play_daily,
    play_interview,
    play_pair,
    play_practice,
    play_recap,
    play_round,
    staged,
    texts,
)
from tests.loopback.faults import Call, Fault, Kind, When
from tests.loopback.limits import MESSAGE, MESSAGES

COMMANDS = "/applications/{}/commands"
REQUESTS = {
    "reply": ("POST", "/interactions/{}/{}/callback"),
    "edit reply": ("PATCH", "/webhooks/{}/{}/messages/{}"),
    "post": ("POST", MESSAGES),
    "edit": ("PATCH", MESSAGE),
    "thread": ("POST", "/channels/{}/messages/{}/threads"),
    "private thread": ("POST", "/channels/{}/threads"),
    "member": ("PUT", "/channels/{}/thread-members/{}"),
    "sync": ("PUT", COMMANDS),
}
MOMENTS: dict[str, Callable[[Stage], bool]] = {
    "open": lambda stage: len(stage.done) == 2 and bool(cards(stage.channel)),
    "pause": lambda stage: (
        len(revealed(stage.channel)) == 1 and stage.rows("SELECT phase FROM rounds") == [("pause",)]
    ),
}
"""Points that no request marks."""
KILLS = """
round         | reply before      | starts               | round: stored, member not told
round         | post any          | v1:round:1           | * first card
round         | open              |                      | question open, nothing in progress
round         | reply before      | Locked in            | * answer: committed, member not told
round         | reply after       | Locked in            | answer: member told
round         | edit before       | answered             | counter: card not edited
round         | edit after        | answered             | counter: card edited, not stored
round         | edit before       | why:v1:round         | * reveal: scored, card not edited
round         | edit after        | why:v1:round         | reveal: card edited, not stored
round         | post any          | mine:v1              | * standings
two questions | pause             |                      | * pause between two questions
two questions | post any          | v1:round:2           | next card
round         | edit reply before | 1st with             | * private result: not shown yet
round         | edit reply after  | 1st with             | private result: shown
round         | sync before       |                      | commands: not synced
round         | sync after        |                      | commands: synced, start not finished
hosted        | reply before      | hosted, no clock     | hosted: stored, member not told
hosted        | post any          | host:v1:reveal:1     | hosted: first card
hosted        | open              |                      | hosted: open, nothing in progress
hosted        | reply before      | 'type': 6            | * hosted: Reveal stored, host not told
hosted        | reply after       | 'type': 6            | hosted: Reveal stored, host told
hosted        | edit before       | host:v1:next:1       | hosted: closed, card not edited
hosted        | edit after        | host:v1:next:1       | hosted: card edited, not stored
hosted        | pause             |                      | hosted: pause between two questions
hosted        | reply second      | 'type': 6            | hosted: Next stored, host not told
hosted        | post any          | host:v1:reveal:2     | hosted: next card
hosted        | post any          | mine:v1              | hosted: standings
challenge     | reply before      | on its way           | challenge: stored, member not told
challenge     | post any          | take:v1:             | challenge
challenge     | reply before      | takeskip:v1          | * player: shown a question, not told
challenge     | reply after       | takeskip:v1          | player: shown a question
challenge     | reply before      | takeskip:v1:2        | * player: committed, member not told
challenge     | reply after       | takeskip:v1:2        | player: member told
challenge     | reply before      | standings come       | player: finished, member not told
challenge     | edit before       | Done:                | challenge: card without its count
challenge     | edit after        | Done:                | challenge: count shown, not stored
challenge     | edit before       | taken:v1             | * challenge: counted, card not edited
challenge     | edit after        | taken:v1             | challenge: card edited, not stored
pair          | post any          | take:v1:             | * words that mention a member
pair          | edit before       | take:v1:             | pair: words posted, not the card
pair          | edit after        | take:v1:             | pair: card shown, not stored
pair          | reply before      | standings come       | pair: finished, member not told
daily         | reply before      | Next: **             | schedule: stored, manager not told
daily         | post any          | :v1:daily:           | * daily
daily         | thread before     |                      | thread: not opened
daily         | thread after      |                      | * thread: opened, not stored
daily         | reply before      | Everyone sees the    | daily answer: committed, member not told
daily         | edit before       | why:v1:daily         | * close: claimed, card not edited
daily         | edit after        | why:v1:daily         | close: card edited, not stored
recap         | post any          | The week in review   | * recap
count         | reply before      | by your count        | * count: committed, member not told
count         | reply after       | by your count        | count: member told
interview     | reply before      | a good answer says   | * follow-up: committed, member not told
interview     | reply after       | a good answer says   | follow-up: member told
practice      | reply before      | 'label': 'Finish'    | * practice: day finished, member not told
practice      | reply after       | 'label': 'Finish'    | practice: day finished, member told
practice      | reply before      | Done for today       | * practice: over, member not told
practice      | reply after       | Done for today       | practice: over, member told
partner       | reply before      | Your card is         | search: stored, member not told
partner       | post any          | partnerjoin:v1       | * card that looks for a partner
partner       | reply before      | interview each other | partner: stored, card not edited
partner       | private thread before |                  | partner: thread not opened
partner       | private thread after  |                  | * partner: thread opened, not stored
partner       | member after      |                      | * partner: one of two in the thread
partner       | post any          | partnercard:v1:1:1   | * question of a partner
partner       | reply before      | What to listen for   | partner: asker's card
partner       | post any          | partnerticks:v1:1:1  | ticks of a partner
partner       | reply before      | Your partner ticked  | * ticks confirmed: committed, member not told
partner       | post any          | partnerapart:v1      | end of a partner's interview
"""
"""Scene, request or moment, what its body contains, and name; a star marks the `proven` ones.

`proven`: something was lost or doubled there once, or would be without the step that recovers it.
A post that is killed `any` way: before it is sent; after it was sent, but before its id is stored;
and the same where Discord forgets the nonce in the meantime, which is the proven one.
"""
TERMINATIONS = """
round         | sync stuck        |                      | * SIGTERM at start-up
round         | post term         | v1:round             | SIGTERM while a card is sent
round         | post stuck        | v1:round             | * SIGTERM while a card is sent, for ever
round         | open              |                      | SIGTERM while a question is open
round         | reply term        | Locked in            | SIGTERM while an answer is acknowledged
round         | edit term         | why:v1:round         | SIGTERM while a card is revealed
two questions | pause             |                      | SIGTERM during the pause
round         | post term         | mine:v1              | SIGTERM while standings are sent
challenge     | reply term        | takeskip:            | SIGTERM while a player gets a question
challenge     | edit term         | taken:v1             | SIGTERM while a challenge is closed
daily         | post term         | v1:daily             | SIGTERM while a daily is sent
daily         | thread term       |                      | SIGTERM while a thread is opened
recap         | post term         | The week in review   | SIGTERM while a recap is sent
daily         | edit stuck        | why:v1:daily         | SIGTERM while a daily is closed
"""
"""Points of SIGTERM: a request is answered half a second later (`term`), or never (`stuck`)."""


@dataclass(frozen=True)
class CrashPoint:
    """Where the bot ends. `forgotten`: Discord forgets nonces in the meantime."""

    name: str
    scene: str
    request: str
    how: str
    sign: str
    proven: bool
    ends_by: str
    forgotten: bool = False


def points(table: str, ends_by: str) -> list[CrashPoint]:
    """Parse a table; a line whose post is killed `any` way makes three points."""
    found = []
    for line in table.strip().splitlines():
        scene, where, sign, name = (cell.strip() for cell in line.split("|"))
        proven, name = name.startswith("* "), name.removeprefix("* ")
        request, _, how = where.rpartition(" ")
        point = CrashPoint(name, scene, request, how, sign, proven, ends_by)
        if how == "any":
            before = replace(point, name=f"{name}: not sent", how="before", proven=False)
            after = replace(point, name=f"{name}: sent, not stored", how="after", proven=False)
            forgotten = replace(
                after, name=f"{after.name}, nonce forgotten", forgotten=True, proven=proven
            )
            found += [before, after, forgotten]
        else:
            found.append(point)
    return found


CRASH_POINTS = points(KILLS, "SIGKILL") + points(TERMINATIONS, "SIGTERM")


def set_trap(point: CrashPoint, stage: Stage) -> Callable[[], bool] | None:
    """Arm the fault, or return what ends the bot once its moment has come."""
    end = stage.bot.kill if point.ends_by == "SIGKILL" else stage.terminate
    if point.how in MOMENTS:

        def at_moment() -> bool:
            if MOMENTS[point.how](stage):
                end()
                return True
            return False

        return at_moment

    def fits(call: Call) -> bool:
        return point.sign in str(call.body)

    kinds: dict[str, Kind] = {"term": "delay", "stuck": "hang"}
    when: When = "after" if point.how == "after" else "before"
    fault = Fault(
        kinds.get(point.how, "kill"),
        *REQUESTS[point.request],
        when,
        skip=point.how == "second",
        seconds=0.5,
        predicate=fits,
        act=end,
    )
    stage.world.faults.add(fault)
    return None


async def play(point: CrashPoint, stage: Stage) -> None:
    def arm() -> Callable[[], bool] | None:
        return set_trap(point, stage)

    late = any(sign in point.sign for sign in ("mine:v1", "why:v1", "taken:v1"))
    match point.scene:
        case _ if point.request == "sync":  # the first start is never ready
            arm()
            await stage.bot.start(ready=False)
            await stage.bot.dead()
            stage.ordered_at = None
            await play_round(stage, lambda: None)
        case "hosted":
            await play_round(stage, arm, questions=2, mode="hosted")
        case "daily":
            await play_daily(stage, arm)
        case "challenge":
            await play_challenge(stage, arm, late=late)
        case "pair":
            await play_pair(stage, arm)
        case "partner":
            await play_partners(stage, arm)
        case "recap":
            await play_recap(stage, arm)
        case "practice":
            await play_practice(stage, arm)
        case "interview":
            await play_interview(stage, arm)
        case "count":
            await play_interview(stage, arm, counts=True)
        case "two questions":
            await play_round(stage, arm, hasten_first=True, questions=2, seconds=SECONDS)
        case _:
            await play_round(stage, arm, hasten_first=late)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, id=point.name, marks=[pytest.mark.proven] if point.proven else [])
        for point in CRASH_POINTS
    ],
)
async def test_nothing_is_lost_or_doubled(point: CrashPoint, tmp_path: Path) -> None:
    """Every invariant holds once the bot has come back and the play is over."""
    partner = point.scene == "partner"
    async with staged(tmp_path, forgetful=point.forgotten, whole_bank=partner) as stage:
        await play(point, stage)
        assert point.how in MOMENTS or stage.world.faults.hit, "the point was never reached"
        wrong = stage.verdict() + [*played(stage.bot.database, stage.world)] * partner
        assert not wrong, f"{point.name}:\n{texts(wrong)}"
