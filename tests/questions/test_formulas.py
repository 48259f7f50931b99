"""Formulas as pictures."""

from __future__ import annotations

import asyncio
import struct
import time
from dataclasses import replace

import pytest

from bot.chat import apart
from bot.chat.pictures import in_thread
from bot.questions import formulas
from bot.questions.formulas import FormulaError, alt_text, draw, drawing_formulas
from bot.questions.model import Item
from tests.patience import PATIENCE
from tests.shipped import bank

PNG = b"\x89PNG\r\n\x1a\n"
FORMULAS = sorted({item.formula for item in bank().items.values() if item.formula})


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    assert png[:8] == PNG
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_the_bank_has_formulas() -> None:
    """The tests of this file have something to draw."""
    assert len(FORMULAS) >= 20


@pytest.mark.parametrize("latex", FORMULAS)
def test_every_formula_of_the_bank_draws(latex: str) -> None:
    """Each is a whole PNG as wide as a card, not taller than wide, and small enough for any server."""
    png = draw(latex)
    width, height = size(png)
    assert width == 960
    assert 72 < height < width
    assert png.endswith(b"IEND\xaeB`\x82")
    assert len(png) < 100_000


def test_a_drawing_shows_its_formula() -> None:
    """Different formulas are different pictures, and a tall one is taller."""
    assert len({draw(latex) for latex in FORMULAS}) == len(FORMULAS)
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
    ],
)
def test_broken_latex(latex: str) -> None:
    """LaTeX that is not complete or not well formed raises FormulaError with a message."""
    with pytest.raises(FormulaError) as caught:
        draw(latex)
    assert str(caught.value).strip(" :")


@pytest.mark.parametrize("latex", ["{}", r"\hspace{0cm}", r"\\"])
def test_latex_that_draws_nothing(latex: str) -> None:
    """A formula without any ink or width raises FormulaError, like any other that can't be shown."""
    with pytest.raises(FormulaError):
        draw(latex)


@pytest.mark.parametrize("latex", [r"\frc{1}{2}", r"\undefined", "a}"])
def test_commands_that_do_not_exist(latex: str) -> None:
    """A misspelt command or a brace too many raises FormulaError; drawn, it would show a reader LaTeX."""
    with pytest.raises(FormulaError):
        draw(latex)


def test_a_formula_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second picture of a formula is made of the same bytes, without drawing; so is the failure of a bad one."""
    good = replace(next(i for i in bank().items.values() if i.formula), formula=r"e^{i\pi} + 1 = 0")
    bad = replace(good, formula=r"\frac")
    first = formulas.picture(good)
    assert first is not None
    assert formulas.picture(bad) is None
    monkeypatch.setattr(formulas, "draw", None)
    again = formulas.picture(good)
    assert again is not None
    assert again.png is first.png
    assert formulas.picture(bad) is None


async def test_a_bank_is_drawn_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `draw_all` every formula of the bank is there, and no card draws one."""
    await formulas.draw_all(bank())
    monkeypatch.setattr(formulas, "draw", None)
    for item in bank().items.values():
        found = formulas.picture(item)
        assert (found is not None) == (item.formula is not None)
        assert found is None or (found.png[:8] == PNG and found.alt == alt_text(item))


def test_a_formula_that_cannot_be_drawn(caplog: pytest.LogCaptureFixture) -> None:
    """Its card goes without, however often it is shown, and the log says so once."""
    broken = replace(next(iter(bank().items.values())), formula=r"\frac{1")
    assert [formulas.picture(broken) for _ in range(3)] == [None] * 3
    assert len([r for r in caplog.records if "can't be drawn" in r.message]) == 1


def test_alt_text_says_the_formula() -> None:
    """A screen reader says the bank's words for it, and its LaTeX where there are none."""
    for item in bank().items.values():
        if item.formula is not None:
            assert alt_text(item) == f"Formula: {item.spoken}", item.id
            assert alt_text(replace(item, spoken=None)) == f"Formula: {item.formula}"


def test_the_file_name_tells_nothing() -> None:
    """All formulas have one file name, so that it can't tell an item."""
    names = {found.name for item in bank().items.values() if (found := formulas.picture(item)) is not None}
    assert names == {"formula.png"}


async def test_the_end_waits_for_no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that leaves while its formulas are drawn ends the process that draws them."""

    def draw_for_ever(_item: Item) -> None:
        apart.call_apart(time.sleep, 600)

    async def start() -> None:
        """At once."""

    apart._PROCESS.close()
    monkeypatch.setattr(formulas, "picture", draw_for_ever)
    async with asyncio.timeout(PATIENCE):
        async with drawing_formulas(bank(), start):
            while apart._PROCESS._child is None:  # noqa: ASYNC110 - a thread starts it
                await asyncio.sleep(0.01)
        assert await in_thread(lambda: "free") == "free"
