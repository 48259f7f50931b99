"""Fit FSRS parameters to one member's reviews, and find out whether they predict better.

The optional library `fsrs-rs-python` fits. First it gets the earlier four fifths of the reviews, and
the last fifth decides: a member keeps parameters of their own only if these predict those answers
clearly better than the default ones do. Then the library fits again, to all reviews.

Log loss is the measure: the mean of -log(p), where p is the probability that was given to what then
happened. Answers on the same day as the one before are not predicted, because FSRS gives them a
probability of 1. `python -m tests.memory.fitting_trial` tries all this on simulated members.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from operator import itemgetter
from typing import TYPE_CHECKING

from fsrs import Rating
from fsrs.scheduler import LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS
from msgspec import Struct

from bot.memory.rules import DEFAULT, STEPS, MemoryCard, MemoryModel, recall, review

if TYPE_CHECKING:
    from fsrs_rs_python import FSRSItem

History = Mapping[str, Sequence[tuple[Rating, datetime]]]
"""A member's reviews of each item, oldest first, by item id."""

FIRST_FIT = 400
"""Reviews before the first fit. With so many, not even half of the simulated members keep one."""
GROWTH = 2
"""Parameters are fitted again when the reviews have become so many times as many."""
HELD_OUT = 5
"""One of so many reviews, the latest ones, is held out to compare parameters."""
MIN_PREDICTED = 20
"""Held-out answers that must be predicted; fewer can't tell which parameters are better."""
EPOCHS = 15
BATCH = 64
"""How the library trains: its own 5 epochs of batches of 512 are made for tens of thousands of
reviews. With 1,000 reviews of simulated members, these settings gained 40 % more."""
LEAST_GAIN = 0.02
"""The share of the log loss that parameters must save to be kept; less may be luck."""
_CERTAIN = 1e-6
"""Probabilities stay this far from 0 and 1, so that one surprise doesn't decide alone."""


class Fit(Struct, frozen=True):
    """The result of a fit.

    `parameters` is None if the default ones are better. The losses are log losses on the held-out
    reviews with the default parameters and with those fitted to the others; None if there was
    nothing to compare.
    """

    parameters: tuple[float, ...] | None = None
    loss_before: float | None = None
    loss_after: float | None = None

    @property
    def gain(self) -> float:
        """The share of the log loss that the member's own parameters save; 0 without such."""
        if self.parameters is None or self.loss_before is None or self.loss_after is None:
            return 0.0
        return 1 - self.loss_after / self.loss_before


class LastFit(Struct, frozen=True):
    """A member's last fit, when it was made, and how many reviews they had then.

    `recomputed` says whether all of their memory cards follow its parameters.
    """

    fit: Fit
    fitted_at: datetime
    reviews: int
    recomputed: bool


def is_available() -> bool:
    """Return whether the library that fits parameters is installed."""
    return find_spec("fsrs_rs_python") is not None


def reviews_needed(fitted_with: int | None) -> int:
    """Return how many reviews the next fit needs; `fitted_with` is what the last one had, if any."""
    return FIRST_FIT if fitted_with is None else fitted_with * GROWTH


def fit(history: History) -> Fit:
    """Fit parameters to a member's reviews, if these are better than the default ones.

    It takes up to seconds, and native code: call it in a child process.
    """
    since = first_held_out(history)
    loss_before = log_loss(history, DEFAULT, since)
    if loss_before is None:
        return Fit()
    loss_after = log_loss(history, MemoryModel(fitted(history, before=since)), since)
    if loss_after is None or loss_after > loss_before * (1 - LEAST_GAIN):
        return Fit(None, loss_before, loss_after)
    return Fit(fitted(history), loss_before, loss_after)


def first_held_out(history: History) -> datetime:
    """Return when the first of the held-out reviews was."""
    times = sorted(at for reviews in history.values() for _, at in reviews)
    return times[-max(len(times) // HELD_OUT, 1)]


def fitted(history: History, before: datetime | None = None) -> tuple[float, ...]:
    """Return the parameters that fit best to all reviews, or to those before a moment."""
    from fsrs_rs_python import FSRS, TrainingConfig

    items: list[FSRSItem] = []
    card_ids: list[int] = []
    for card_id, reviews in enumerate(history.values()):
        end = None if before is None else bisect_left(reviews, before, key=itemgetter(1))
        found = list(training_items(reviews[:end]))
        items += found
        card_ids += [card_id] * len(found)
    parameters = FSRS(DEFAULT.parameters).compute_parameters(
        items,
        card_ids,
        num_relearning_steps=len(STEPS),
        training_config=TrainingConfig(num_epochs=EPOCHS, batch_size=BATCH),
    )
    # The library computes in 32 bits, so a rounding error may exceed a bound.
    return tuple(
        min(max(value, low), high)
        for value, low, high in zip(
            parameters, LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS, strict=True
        )
    )


def training_items(reviews: Sequence[tuple[Rating, datetime]]) -> Iterator[FSRSItem]:
    """Return what the library learns from one card: each answer to predict, with those before it.

    Answers on the same day as the one before are part of what came before, but not predicted.
    Days are counted as the scheduler counts them: in whole 24 hours.
    """
    from fsrs_rs_python import FSRSItem, FSRSReview

    past: list[FSRSReview] = []
    last_at = None
    for rating, at in reviews:
        days = 0 if last_at is None else (at - last_at).days
        past.append(FSRSReview(int(rating), days))
        last_at = at
        if days >= 1:
            yield FSRSItem(past)


def log_loss(history: History, model: MemoryModel, since: datetime) -> float | None:
    """Return a model's log loss on the answers since a moment; None if too few are predicted."""
    losses = []
    for reviews in history.values():
        card: MemoryCard | None = None
        for rating, at in reviews:
            if card is not None and at >= since and (at - card.last_review_at).days >= 1:
                chance = min(max(recall(card, at, model), _CERTAIN), 1 - _CERTAIN)
                losses.append(-math.log(1 - chance if rating == Rating.Again else chance))
            card = review(card, rating, at, model)
    return sum(losses) / len(losses) if len(losses) >= MIN_PREDICTED else None
