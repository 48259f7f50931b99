"""The page of milestones: its titles, and how long it can get."""

from __future__ import annotations

from bot.core.limits import MAX_MILESTONES
from bot.milestones import views
from bot.milestones.model import Kind, Milestone, MilestonePage
from tests.messages import components, reads, texts


def page_of(title: str, number: int) -> MilestonePage:
    """A page with so many sections of the same title, each for a role of its own."""
    milestones = [Milestone(Kind.SECTION, f"s{n}", 10**18 + n) for n in range(number)]
    titles = {each.name: title for each in milestones}
    return MilestonePage(tuple(milestones), ("s0",), titles, ())


def test_titles_are_shown_as_they_are_written() -> None:
    """A server's own section may have marks of formatting in its title."""
    made = views.page(page_of("Loops **and** `for` <@1>", 1))
    assert r"Loops \*\*and\*\* \`for\` \<@1>" in "\n".join(texts(made))
    assert "Knows Loops **and** `for` <@1>" in reads(made)


def test_the_longest_page_fits() -> None:
    """With the longest titles, and a problem of each role."""
    problems = [
        f"I can't give <@&{10**18 + n}>: it's above my own role. In Server Settings, under Roles, drag my role "
        "above it, then try again."
        for n in range(MAX_MILESTONES)
    ]
    made = views.page(page_of("*" * 100, MAX_MILESTONES), problems)
    assert "6 more problems like these" in reads(made)
    adding = [c for c in components(made) if str(c.get("label")).startswith("Role for")]
    assert [button["disabled"] for button in adding] == [True, True]
