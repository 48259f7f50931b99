"""Formulas as pictures."""

from __future__ import annotations

import asyncio
import signal
import struct
import sys
import threading
import time
from functools import cache

import pytest
from msgspec.structs import replace

from bot.chat.messages import OPEN, Message, text_of
from bot.chat.pictures import Picture, PictureCache, draw_picture, panel
from bot.core import child_process
from bot.core.computing import OURS
from bot.core.errors import UserError
from bot.questions import formulas
from bot.questions.formulas import FormulaError, FormulaTooSlow, alt_text, draw, drawing_formulas
from bot.questions.model import Item
from bot.questions.own import own_id
from tests.patience import PATIENCE
from tests.shipped import bank
from tests.stage import GUILD

PNG = b"\x89PNG\r\n\x1a\n"
FORMULAS = sorted({item.formula for item in bank().items.values() if item.formula})


async def gone(_guild_id: int, _file: str) -> bytes | None:
    return None


def with_formula(latex: str) -> Item:
    return replace(next(item for item in bank().items.values() if item.formula), formula=latex)


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    assert png[:8] == PNG
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


drawn = cache(draw)


@pytest.mark.parametrize("latex", FORMULAS)
def test_every_formula_of_the_bank_draws(latex: str) -> None:
    """Each is a whole PNG as wide as a card, not taller than wide, and small enough for any server."""
    png = drawn(latex)
    width, height = size(png)
    assert width == 960
    assert 72 < height < width
    assert png.endswith(b"IEND\xaeB`\x82")
    assert len(png) < 100_000


def test_a_drawing_shows_its_formula() -> None:
    """Different formulas are different pictures, and a tall one is taller."""
    assert len({drawn(latex) for latex in FORMULAS}) == len(FORMULAS) >= 5
    assert size(draw(r"\frac{\frac{a}{b}}{\frac{c}{d}}"))[1] > size(draw("a"))[1]


def test_a_wide_formula_is_made_to_fit() -> None:
    """A formula that is wider than the card is drawn smaller, not cut."""
    one = "x_1 + y_1 + "
    wide, wider = size(draw(one * 12 + "z")), size(draw(one * 24 + "z"))
    assert wide[0] == wider[0] == 960
    assert wider[1] < wide[1]


@pytest.mark.parametrize(
    "latex",
    [
        "",
        " ",
        r"\frac",
        r"\frac{1}",
        "x^",
        "x_",
        "{",
        r"\left(",
        r"\sqrt",
        r"\begin{matrix}",
        "a & b",
        r"\text{<b>}",
        "\x00",
        # nothing to draw
        "{}",
        r"\hspace{0cm}",
        r"\\",
        # commands that do not exist
        r"\frc{1}{2}",
        r"\undefined",
        "a}",
    ],
)
def test_broken_latex(latex: str) -> None:
    """LaTeX that is incomplete, misspelt or draws nothing raises FormulaError with a message."""
    with pytest.raises(FormulaError) as caught:
        draw(latex)
    assert str(caught.value).strip(" :")


@pytest.mark.parametrize(
    ("latex", "why"),
    [
        (r"\rule{1em}{23em}", "it is 1,533 pixels high; 1,500 are allowed"),
        (r"\rule{1em}{1000000em}", "pixels high; 1,500 are allowed"),
        (r"\begin{matrix}" + r"1\\" * 40 + r"\end{matrix}", "pixels high; 1,500 are allowed"),
        (r"\rule{145em}{1em}", "pixels wide; 9,600 are allowed"),
        (r"\frac{1}{" * 7 + "x" + "}" * 7, "nested 7 levels deep; 6 are allowed"),
        (r"\left(" * 7 + "x" + r"\right)" * 7, "nested 7 levels deep; 6 are allowed"),
        (
            r"\begin{cases}" * 3 + r"\sqrt{" * 4 + "x" + "}" * 4 + r"\end{cases}" * 3,
            "nested 7 levels deep",
        ),
        (r"\frac{1}{\right)" * 7 + "x" + "}" * 7, "nested 7 levels deep"),
        (r"\frac{1}{\end{x}" * 7 + "x" + "}" * 7, "nested 7 levels deep"),
        (r"\frac{1}{" * 30 + "x" + "}" * 30, "nested 30 levels deep; 6 are allowed"),
    ],
)
def test_too_much_to_draw(latex: str, why: str) -> None:
    """A formula that would need too much memory or time is refused before it is drawn, with the
    limit."""
    with pytest.raises(FormulaError, match=why):
        draw(latex)


def test_what_is_not_nested() -> None:
    """Arrows, escaped braces and neighbours don't count as nesting."""
    side_by_side = (
        r"\begin{cases} 1 & x \end{cases} \frac{\sqrt{a}}{b} \leftarrow \rightarrow \{ \left( x \right)"
        * 8
    )
    formulas._refuse_depth(
        r"\begin{matrix}" * 6 + r"\end{matrix}" * 6 + side_by_side + r"\leftarrow" * 10 + r"\{" * 10
    )


def test_the_limits_leave_room() -> None:
    """Every formula of the bank could be nested two levels deeper."""
    for latex in FORMULAS:
        formulas._refuse_depth("{{" + latex + "}}")


def stop_by_limit(_latex: str) -> None:
    """End as the system ends a process that has used up its time."""
    signal.raise_signal(signal.SIGXCPU)


def draw_for_ever(_latex: str) -> None:
    time.sleep(600)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restart: no formula is drawn yet. A busy machine may take its time for one."""
    monkeypatch.setattr(formulas, "_CACHE", PictureCache(1 << 20))
    monkeypatch.setattr(formulas, "MAX_FORMULA_WAIT", PATIENCE)


@pytest.mark.skipif(
    not hasattr(signal, "SIGXCPU"), reason="needs a system with limits for processes"
)
@pytest.mark.usefixtures("no_pictures")
async def test_a_formula_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with the limit, its card has words and does not try again, and others are drawn."""
    item = with_formula("x^2")
    with monkeypatch.context() as patch:
        patch.setattr(formulas, "draw", stop_by_limit)
        with pytest.raises(FormulaTooSlow, match="more than 3 seconds or too much memory"):
            await formulas.prepare("x^2", OURS)
    assert formulas.picture(item) == formulas.in_words(item)
    await formulas.prepare("x^3", OURS)
    assert isinstance(formulas.picture(with_formula("x^3")), Picture)


@pytest.mark.usefixtures("no_pictures")
async def test_a_stuck_formula_holds_up_no_other_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standings, figures and plans are drawn while a formula is, however long that takes."""
    monkeypatch.setattr(formulas, "draw", draw_for_ever)
    formulas._PROCESS.close()  # so that a new one shows that the call has begun
    stuck = asyncio.create_task(formulas.prepare("x^2", OURS))
    async with asyncio.timeout(PATIENCE):
        while formulas._PROCESS._child is None:  # noqa: ASYNC110 - a thread starts it
            await asyncio.sleep(0.01)
        assert (await draw_picture("a.png", "a", lambda: panel(40), OURS)).content[:8] == PNG
        assert not stuck.done()
        child_process.kill_processes()
        with pytest.raises(OSError, match="ended without an answer"):
            await stuck


@pytest.mark.usefixtures("no_pictures")
async def test_a_card_draws_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes a card does not wait; its message has the formula drawn once it is sent, and keeps its place."""
    item = with_formula(r"e^{i\pi} + 1 = 0")
    with monkeypatch.context() as patch:
        patch.setattr(formulas._PROCESS, "call", None)
        message = Message(OPEN, "above", formulas.picture(item), "below")
    assert message.waits_for_pictures
    made = await message.drawn(gone)
    assert not made.waits_for_pictures
    assert text_of(made) == text_of(message) == f"above\n[{alt_text(item)}]\nbelow"
    (file,) = made.files()
    assert (file.filename, file.fp.read(8)) == ("formula.png", PNG)


@pytest.mark.usefixtures("no_pictures")
async def test_a_formula_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second picture of a formula is made of the same bytes, without drawing; so is the failure of a bad one."""
    good, bad = with_formula(r"e^{i\pi} + 1 = 0"), with_formula(r"\frac")
    first, none = [
        await Message(OPEN, "x", formulas.picture(item)).drawn(gone) for item in (good, bad)
    ]
    monkeypatch.setattr(formulas._PROCESS, "call", None)
    again = formulas.picture(good)
    assert isinstance(again, Picture)
    assert [file.fp.read() for file in first.files()] == [again.content]
    assert formulas.picture(bad) == formulas.in_words(bad)
    assert none.files() == []


def test_pictures_are_kept_up_to_a_limit() -> None:
    """The least recently used pictures are dropped first; those that fit stay."""
    kept = PictureCache(10_000)
    for latex in "abcde":
        kept.add(latex, b"." * 2_500)
        assert kept.get("a") is not None
    assert [latex for latex in "abcde" if latex in kept] == ["a", "d", "e"]
    kept.add("a", None)
    kept.add("f", b"." * 2_500)
    assert [latex for latex in "abcdef" if latex in kept] == ["a", "d", "e", "f"]


@pytest.mark.usefixtures("no_pictures")
async def test_a_formula_that_cannot_be_drawn(caplog: pytest.LogCaptureFixture) -> None:
    """Its card has it in words, however often it is shown, and the log says so once."""
    bad = replace(with_formula(r"\frac{1"), spoken=None)
    for _ in range(3):
        message = await Message(OPEN, "x", formulas.picture(bad)).drawn(gone)
        assert (text_of(message), message.files()) == ("x\n-# Formula: \\\\frac{1", [])
    assert len([r for r in caplog.records if "can't be drawn" in r.message]) == 1


@pytest.mark.usefixtures("no_pictures")
async def test_a_card_does_not_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a formula that is not drawn in time in words. The drawing goes on, for all who need it."""
    item, released, drawn = with_formula("x^2"), threading.Event(), []

    def draw_later(_draw: object, latex: str) -> bytes:
        assert released.wait(PATIENCE)
        drawn.append(latex)
        return PNG

    monkeypatch.setattr(formulas._PROCESS, "call", draw_later)
    monkeypatch.setattr(formulas, "MAX_FORMULA_WAIT", 0)
    deck = asyncio.create_task(formulas.png_of(item))
    await asyncio.sleep(0)
    for _ in range(2):
        card = await Message(OPEN, "x", formulas.picture(item)).drawn(gone)
        assert (text_of(card), card.files()) == (f"x\n{formulas.in_words(item)}", [])
    released.set()
    assert await deck == PNG
    assert isinstance(formulas.picture(item), Picture)
    assert drawn == ["x^2"]


@pytest.mark.usefixtures("no_pictures")
async def test_a_server_that_has_to_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its new formulas are refused, and cards have them in words; shipped ones are drawn."""
    own = replace(with_formula("x^2"), id=own_id(GUILD, 1))
    with monkeypatch.context() as patch:
        patch.setattr(formulas, "draw", stop_by_limit)
        with pytest.raises(FormulaTooSlow):
            await formulas.prepare("x^3", GUILD)
    with pytest.raises(UserError, match="The last formulas from here took too much time"):
        await formulas.prepare("x^4", GUILD)
    shown = [
        await Message(OPEN, "x", formulas.picture(item)).drawn(gone)
        for item in (own, with_formula("x^2"))
    ]
    assert [len(card.files()) for card in shown] == [0, 1]
    assert text_of(shown[0]) == f"x\n{formulas.in_words(own)}"


@pytest.mark.usefixtures("no_pictures")
async def test_no_process_to_draw_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card goes without its formula, and the next one has it."""
    item = with_formula("x^2")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        formulas._PROCESS.close()
        assert (await Message(OPEN, "x", formulas.picture(item)).drawn(gone)).files() == []
    assert len((await Message(OPEN, "x", formulas.picture(item)).drawn(gone)).files()) == 1


def test_alt_text_says_the_formula() -> None:
    """A screen reader says the bank's words for it, and its LaTeX where there are none."""
    for item in bank().items.values():
        if item.formula is not None:
            assert alt_text(item) == f"Formula: {item.spoken}", item.id
            assert alt_text(replace(item, spoken=None)) == f"Formula: {item.formula}"


@pytest.mark.usefixtures("no_pictures")
async def test_the_end_waits_for_no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that leaves while its formulas are drawn ends the process that draws them.

    None was drawn before the start.
    """
    at_start = []

    async def start() -> None:
        at_start.append(formulas._PROCESS._child)

    formulas._PROCESS.close()
    monkeypatch.setattr(formulas, "draw", draw_for_ever)
    async with asyncio.timeout(PATIENCE):
        async with drawing_formulas(bank(), start):
            while formulas._PROCESS._child is None:  # noqa: ASYNC110 - a thread starts it
                await asyncio.sleep(0.01)
        monkeypatch.undo()
        await formulas.prepare("x^2", OURS)
    assert at_start == [None]
