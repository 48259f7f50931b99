"""The bot is killed at every point between two effects of all that it plays, and nothing is lost or double.

Each case is a real process against the loopback Discord, which kills it on receiving a request, before or after that
request has its effect; or the bot gets SIGTERM there and has to end quickly and cleanly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.crash.play import cards, revealed
from tests.crash.stage import (
    Stage,
    play_challenge,
    play_daily,
    play_hosted,
    play_interview,
    play_recap,
    play_round,
    staged,
    texts,
)
from tests.loopback.faults import Call, Fault, Kind, When
from tests.loopback.limits import MESSAGE, MESSAGES

CALLBACK = "/interactions/{}/{}/callback"
THREADS = "/channels/{}/messages/{}/threads"
COMMANDS = "/applications/{}/commands"
GOOD_ANSWER = "**What a good answer says**"
REPLY = "/webhooks/{}/{}/messages/{}"
PRESSED = "'type': 6"  # a click that is acknowledged and shows nothing of its own
Scene = Literal["round", "two questions", "hosted", "challenge", "daily", "recap", "interview"]


@dataclass(frozen=True)
class CrashPoint:
    """Where the bot ends. `sign`: what the request's body contains. `forgotten`: Discord forgets nonces meanwhile.

    With `how="kill"` it is SIGKILL at the request; "term" is SIGTERM there, the answer coming half a second later;
    "stuck" is SIGTERM there, and the answer never comes. `moment` is for points that no request marks.
    """

    name: str
    scene: Scene
    method: str = ""
    template: str = ""
    when: When = "before"
    sign: str = ""
    skip: int = 0
    forgotten: bool = False
    how: Literal["kill", "term", "stuck"] = "kill"
    moment: Callable[[Stage], bool] | None = None


def _both(
    name: str, scene: Scene, method: str, template: str, sign: str, skip: int = 0
) -> list[CrashPoint]:
    """A message that is not sent yet; one that is sent, but not noted; the same when Discord forgets the nonce."""
    return [
        CrashPoint(f"{name}: stored, not sent", scene, method, template, "before", sign, skip),
        CrashPoint(f"{name}: sent, not noted", scene, method, template, "after", sign, skip),
        CrashPoint(
            f"{name}: sent, not noted, nonce forgotten",
            scene,
            method,
            template,
            "after",
            sign,
            skip,
            True,
        ),
    ]


def _paused(stage: Stage) -> bool:
    return len(revealed(stage.channel)) == 1 and stage.rows("SELECT phase FROM rounds") == [
        ("pause",)
    ]


def _open(stage: Stage) -> bool:
    return len(stage.done) == 2 and bool(cards(stage.channel))


ROUND_POINTS = [
    CrashPoint("round: stored, member not told", "round", "POST", CALLBACK, sign=" starts "),
    *_both(
        "first card",
        "round",
        "POST",
        MESSAGES,
        "answer:v1:round:1:|choose:v1:round:1|write:v1:round:1",
    ),
    CrashPoint("question open, nothing under way", "round", moment=_open),
    CrashPoint("answer: committed, member not told", "round", "POST", CALLBACK, sign="Locked in"),
    CrashPoint("answer: member told", "round", "POST", CALLBACK, "after", sign="Locked in"),
    CrashPoint("counter: card not edited", "round", "PATCH", MESSAGE, sign=" answered"),
    CrashPoint(
        "counter: card edited, not noted", "round", "PATCH", MESSAGE, "after", sign=" answered"
    ),
    CrashPoint("reveal: scored, card not edited", "round", "PATCH", MESSAGE, sign="why:v1:round"),
    CrashPoint(
        "reveal: card edited, not noted", "round", "PATCH", MESSAGE, "after", sign="why:v1:round"
    ),
    *_both("standings", "round", "POST", MESSAGES, "mine:v1"),
    CrashPoint("pause between two questions", "two questions", moment=_paused),
    *_both("next card", "two questions", "POST", MESSAGES, "v1:round:2"),
    CrashPoint("private line: not turned yet", "round", "PATCH", REPLY, sign="1st with"),
    CrashPoint("private line: turned", "round", "PATCH", REPLY, "after", sign="1st with"),
    CrashPoint("commands: not synced", "round", "PUT", COMMANDS),
    CrashPoint("commands: synced, start not finished", "round", "PUT", COMMANDS, "after"),
]
HOSTED_POINTS = [
    CrashPoint(
        "hosted: stored, member not told", "hosted", "POST", CALLBACK, sign="hosted, no clock"
    ),
    *_both("hosted: first card", "hosted", "POST", MESSAGES, "host:v1:reveal:1"),
    CrashPoint("hosted: open, nothing under way", "hosted", moment=_open),
    CrashPoint("hosted: Reveal stored, host not told", "hosted", "POST", CALLBACK, sign=PRESSED),
    CrashPoint(
        "hosted: Reveal stored, host told", "hosted", "POST", CALLBACK, "after", sign=PRESSED
    ),
    CrashPoint(
        "hosted: closed, card not edited", "hosted", "PATCH", MESSAGE, sign="host:v1:next:1"
    ),
    CrashPoint(
        "hosted: card edited, not noted", "hosted", "PATCH", MESSAGE, "after", sign="host:v1:next:1"
    ),
    CrashPoint("hosted: pause between two questions", "hosted", moment=_paused),
    CrashPoint(
        "hosted: Next stored, host not told", "hosted", "POST", CALLBACK, sign=PRESSED, skip=1
    ),
    CrashPoint(
        "hosted: Next stored, host told", "hosted", "POST", CALLBACK, "after", sign=PRESSED, skip=1
    ),
    *_both("hosted: next card", "hosted", "POST", MESSAGES, "host:v1:reveal:2"),
    *_both("hosted: standings", "hosted", "POST", MESSAGES, "mine:v1"),
]
CHALLENGE_POINTS = [
    CrashPoint(
        "challenge: stored, member not told", "challenge", "POST", CALLBACK, sign="on its way"
    ),
    *_both("challenge", "challenge", "POST", MESSAGES, "take:v1:"),
    CrashPoint(
        "taker: shown a question, but not told", "challenge", "POST", CALLBACK, sign="takeskip:v1"
    ),
    CrashPoint(
        "taker: shown a question", "challenge", "POST", CALLBACK, "after", sign="takeskip:v1"
    ),
    CrashPoint(
        "taker: shown the next one, but not told",
        "challenge",
        "POST",
        CALLBACK,
        sign="takeskip:v1:2",
    ),
    CrashPoint(
        "taker: committed, member not told", "challenge", "POST", CALLBACK, sign="takenext:v1"
    ),
    CrashPoint("taker: member told", "challenge", "POST", CALLBACK, "after", sign="takenext:v1"),
    CrashPoint(
        "taker: through, member not told", "challenge", "POST", CALLBACK, sign="the last one"
    ),
    CrashPoint(
        "challenge: card without its count", "challenge", "PATCH", MESSAGE, sign=" finished"
    ),
    CrashPoint(
        "challenge: count shown, not noted",
        "challenge",
        "PATCH",
        MESSAGE,
        "after",
        sign=" finished",
    ),
    CrashPoint(
        "challenge: counted, card not edited", "challenge", "PATCH", MESSAGE, sign="taken:v1"
    ),
    CrashPoint(
        "challenge: card edited, not noted", "challenge", "PATCH", MESSAGE, "after", sign="taken:v1"
    ),
]
DAILY_POINTS = [
    CrashPoint("schedule: stored, manager not told", "daily", "POST", CALLBACK, sign="Next: **"),
    *_both("daily", "daily", "POST", MESSAGES, ":v1:daily:"),
    CrashPoint("thread: not opened", "daily", "POST", THREADS),
    CrashPoint("thread: opened, not noted", "daily", "POST", THREADS, "after"),
    CrashPoint(
        "daily answer: committed, member not told", "daily", "POST", CALLBACK, sign="Streak"
    ),
    CrashPoint("close: claimed, card not edited", "daily", "PATCH", MESSAGE, sign="why:v1:daily"),
    CrashPoint(
        "close: card edited, not noted", "daily", "PATCH", MESSAGE, "after", sign="why:v1:daily"
    ),
]
RECAP_POINTS = _both("recap", "recap", "POST", MESSAGES, "The week in review")
INTERVIEW_POINTS = [
    CrashPoint(
        "follow-up: committed, member not told", "interview", "POST", CALLBACK, sign=GOOD_ANSWER
    ),
    CrashPoint("follow-up: member told", "interview", "POST", CALLBACK, "after", sign=GOOD_ANSWER),
]
SIGTERM_POINTS = [
    CrashPoint("SIGTERM at start-up", "round", "PUT", COMMANDS, how="stuck"),
    CrashPoint(
        "SIGTERM while a card is sent", "round", "POST", MESSAGES, sign="v1:round", how="term"
    ),
    CrashPoint(
        "SIGTERM while a card is sent, for ever",
        "round",
        "POST",
        MESSAGES,
        sign="v1:round",
        how="stuck",
    ),
    CrashPoint("SIGTERM while a question is open", "round", moment=_open, how="term"),
    CrashPoint(
        "SIGTERM while an answer is acknowledged",
        "round",
        "POST",
        CALLBACK,
        sign="Locked in",
        how="term",
    ),
    CrashPoint(
        "SIGTERM while a card is revealed",
        "round",
        "PATCH",
        MESSAGE,
        sign="why:v1:round",
        how="term",
    ),
    CrashPoint("SIGTERM during the pause", "two questions", moment=_paused, how="term"),
    CrashPoint(
        "SIGTERM while standings are sent", "round", "POST", MESSAGES, sign="mine:v1", how="term"
    ),
    CrashPoint(
        "SIGTERM while a taker is shown a question",
        "challenge",
        "POST",
        CALLBACK,
        sign="takeskip:",
        how="term",
    ),
    CrashPoint(
        "SIGTERM while a challenge is closed",
        "challenge",
        "PATCH",
        MESSAGE,
        sign="taken:v1",
        how="term",
    ),
    CrashPoint(
        "SIGTERM while a daily is sent", "daily", "POST", MESSAGES, sign="v1:daily", how="term"
    ),
    CrashPoint("SIGTERM while a thread is opened", "daily", "POST", THREADS, how="term"),
    CrashPoint(
        "SIGTERM while a recap is sent",
        "recap",
        "POST",
        MESSAGES,
        sign="The week in review",
        how="term",
    ),
    CrashPoint(
        "SIGTERM while a daily is closed",
        "daily",
        "PATCH",
        MESSAGE,
        sign="why:v1:daily",
        how="stuck",
    ),
]
CRASH_POINTS = [
    *ROUND_POINTS,
    *HOSTED_POINTS,
    *CHALLENGE_POINTS,
    *DAILY_POINTS,
    *RECAP_POINTS,
    *INTERVIEW_POINTS,
    *SIGTERM_POINTS,
]

PROVEN = {
    "first card: sent, not noted, nonce forgotten",
    "answer: committed, member not told",
    "reveal: scored, card not edited",
    "standings: sent, not noted, nonce forgotten",
    "pause between two questions",
    "private line: not turned yet",
    "hosted: Reveal stored, host not told",
    "taker: shown a question, but not told",
    "challenge: counted, card not edited",
    "daily: sent, not noted, nonce forgotten",
    "thread: opened, not noted",
    "close: claimed, card not edited",
    "recap: sent, not noted, nonce forgotten",
    "follow-up: committed, member not told",
    "SIGTERM at start-up",
    "SIGTERM while a card is sent, for ever",
}
"""Points at which something was lost or doubled once, or would be if the step that recovers it were taken away."""


def _case(point: CrashPoint) -> object:
    return pytest.param(
        point, id=point.name, marks=[pytest.mark.proven] if point.name in PROVEN else []
    )


def _trap(point: CrashPoint, stage: Stage) -> Callable[[], bool] | None:
    act = stage.bot.kill if point.how == "kill" else stage.terminate
    if point.moment is not None:
        moment = point.moment

        def at_moment() -> bool:
            if not moment(stage):
                return False
            act()
            return True

        return at_moment
    kinds: dict[str, Kind] = {"kill": "kill", "term": "delay", "stuck": "hang"}

    def fits(call: Call) -> bool:
        return any(sign in str(call.body) for sign in point.sign.split("|"))

    fault = Fault(
        kinds[point.how],
        point.method,
        point.template,
        point.when,
        skip=point.skip,
        seconds=0.5,
        predicate=fits,
        act=act,
    )
    stage.world.faults.add(fault)
    return None


async def _run(point: CrashPoint, folder: Path) -> list[str]:
    """Play one case; what is wrong after it."""
    async with staged(folder, forgetful=point.forgotten) as stage:
        if point.template == COMMANDS:  # at start-up, so that the first start never gets ready
            _trap(point, stage)
            await stage.bot.start(ready=False)
            await stage.bot.dead()
            stage.ends += [(0, 0.0)] if stage.ordered_at is None else []
            stage.ordered_at = None
            await play_round(stage, lambda: None)
        elif point.scene == "hosted":
            await play_hosted(stage, lambda: _trap(point, stage))
        elif point.scene == "daily":
            await play_daily(stage, lambda: _trap(point, stage))
        elif point.scene == "challenge":
            await play_challenge(
                stage, lambda: _trap(point, stage), forward="taken:v1" in point.sign
            )
        elif point.scene == "recap":
            await play_recap(stage, lambda: _trap(point, stage))
        elif point.scene == "interview":
            await play_interview(stage, lambda: _trap(point, stage))
        else:
            late = (
                "mine:v1" in point.sign or "why:v1" in point.sign or point.scene == "two questions"
            )
            questions = 2 if point.scene == "two questions" else 1
            await play_round(stage, lambda: _trap(point, stage), questions, forward=late)
        assert point.moment is not None or stage.world.faults.hit, "the point was never reached"
        return stage.verdict()


@pytest.mark.parametrize("point", [_case(p) for p in CRASH_POINTS])
async def test_nothing_is_lost_or_doubled(point: CrashPoint, tmp_path: Path) -> None:
    """Whatever the point at which the bot ends, every invariant holds once it has come back and played on."""
    wrong = await _run(point, tmp_path)
    assert not wrong, f"{point.name}:\n{texts(wrong)}"


def test_points_have_names_of_their_own() -> None:
    """No case hides behind another's name, and each proven one is there."""
    names = [point.name for point in CRASH_POINTS]
    assert len(names) == len(set(names))
    assert set(names) >= PROVEN
