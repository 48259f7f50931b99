"""The model that checks answers, if the operator has set one up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.config import Settings
from bot.interviews.grading.verifying import Verifier


@asynccontextmanager
async def opened_verifier(settings: Settings) -> AsyncIterator[Verifier | None]:
    """Keep the model at GRADER_URL or NLI_MODEL usable while the context is open; None without one.

    Raises SettingsError if NLI_MODEL can't be used.
    """
    if settings.grader_url is not None:
        from bot.interviews.grading.chat_model import model_service

        async with model_service(settings) as service:
            yield service
    elif settings.nli_model is not None:
        from bot.interviews.grading.nli import NliModel

        model = NliModel(settings.nli_model, settings.nli_sha256)
        try:
            await model.load()
            yield model
        finally:
            await model.close()
    else:
        yield None
