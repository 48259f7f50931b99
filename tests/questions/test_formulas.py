"""Formulas as pictures."""

from __future__ import annotations

import struct
import time

import pytest

from bot.questions.formulas import FORMULA_FILE, FormulaError, alt_text, draw, picture
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


def test_a_formula_is_drawn_once() -> None:
    """The second drawing of a formula is the same object, at no cost; a failure is not kept as one."""
    latex = r"e^{i\pi} + 1 = 0"
    first = draw(latex)
    start = time.perf_counter()
    assert all(draw(latex) is first for _ in range(1_000))
    assert time.perf_counter() - start < 0.5
    for _ in range(2):
        with pytest.raises(FormulaError):
            draw(r"\frac")


async def test_pictures_come_from_the_same_store() -> None:
    """Off the event loop the same picture comes, and the same error."""
    assert await picture("x^2") is draw("x^2")
    with pytest.raises(FormulaError):
        await picture(r"\frac")


@pytest.mark.parametrize("latex", [*FORMULAS, "x" * 400])
def test_alt_text_says_the_formula(latex: str) -> None:
    """A screen reader says the whole LaTeX, within Discord's limit."""
    assert alt_text(latex) == f"Formula: {latex}"
    assert len(alt_text(latex)) <= 1_024


def test_alt_text_keeps_to_discords_limit() -> None:
    """However long the LaTeX is, the alt text stays within 1,024 characters."""
    assert len(alt_text("x" * 5_000)) <= 1_024


def test_the_file_name_tells_nothing() -> None:
    """All formulas have one file name, so that it can't tell an item."""
    assert FORMULA_FILE == "formula.png"
