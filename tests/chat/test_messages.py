"""Messages: parts, files, pings, and commands as mentions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.chat.messages import OPEN, Message, button, row, separator, text_of
from bot.chat.pictures import Picture, StoredPicture
from tests.messages import check_limits, custom_ids, sent

PICTURE = Picture(b"png", "one.png", "what it shows")


def test_check_limits() -> None:
    """`check_limits` rejects messages that exceed a limit."""
    good = Message(OPEN, "text", row(button("A", "a")))
    check_limits(good, "good")
    for bad in (
        Message(OPEN, "x" * 2_001, "x" * 2_000),
        Message(OPEN, "x", " "),
        Message(OPEN, row(button("A", "a"), button("B", "a"))),
        Message(OPEN, row(button("A" * 81, "a"))),
    ):
        with pytest.raises(AssertionError):
            check_limits(bad, "bad")


def test_a_message_carries_its_files() -> None:
    """Each call returns new files, and pictures are shown in order among the other parts."""
    message = Message(OPEN, "above", PICTURE, "below")
    for _ in range(2):
        (file,) = message.files()
        assert (file.filename, file.description, file.fp.read()) == (
            "one.png",
            "what it shows",
            b"png",
        )
    assert text_of(message) == "above\n[what it shows]\nbelow"
    assert '"attachment://one.png"' in str(sent(message)).replace("'", '"')


@pytest.mark.parametrize(
    ("copy", "text", "files"),
    [
        (lambda message: message.without_pictures(), "see </quiz> or </help>\n( A )", 0),
        (
            lambda message: message.with_mentions(lambda name: f"</{name}:1>"),
            "see </quiz:1> or </help:1>\n[what it shows]\n( A )",
            1,
        ),
    ],
)
def test_copies(copy: Callable[[Message], Message], text: str, files: int) -> None:
    """Only pictures are removed, or commands in all texts made mentions; everything else stays,
    even the container's id.
    """
    parts = "see </quiz> or </help>", PICTURE, separator(), row(button("A", "a"))
    message = Message(OPEN, *parts, container_id=77, ping_role=5)
    made = copy(message)
    assert (text_of(made), len(made.files())) == (text, files)
    assert (custom_ids(made), sent(made)[0]["id"]) == (["a"], 77)
    assert made.mentions().to_dict() == message.mentions().to_dict()


def test_pings() -> None:
    """A message pings its role and nobody else."""
    one, nobody = (
        dict(Message(OPEN, "<@&5>", ping_role=role).mentions().to_dict()) for role in (5, None)
    )
    assert (one["parse"], one["roles"]) == ([], [5])
    assert nobody["parse"] == []
    assert "roles" not in nobody


async def test_stored_pictures() -> None:
    """A stored picture is loaded when its message goes; if it is gone or refused, words replace it."""

    async def load(guild_id: int, file: str) -> bytes | None:
        return b"jpg" if (guild_id, file) == (1, "a.jpg") else None

    here, gone = (
        StoredPicture(1, file, "picture.jpg", "a cat", "-# Picture: a cat")
        for file in ("a.jpg", "b.jpg")
    )
    message = Message(OPEN, "above", here)
    assert message.waits_for_pictures
    made = await message.drawn(load)
    assert not made.waits_for_pictures
    assert [(file.filename, file.fp.read()) for file in made.files()] == [("picture.jpg", b"jpg")]
    assert text_of(made) == "above\n[a cat]"
    lost = await Message(OPEN, "above", gone).drawn(load)
    for bare in (made.without_pictures(), lost):
        assert bare.files() == []
        assert text_of(bare) == "above\n-# Picture: a cat"
