"""Downloads the recommended model for NLI_MODEL: `python -m bot model fetch`."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

BASE = "https://huggingface.co"
REPOSITORY = "Xenova/nli-deberta-v3-xsmall"
# A maintainer must replace this by the commit whose model was measured. The host could not be
# reached when this was written. Until then the command prints the commit, for the operator to pin.
REVISION = "main"
FOLDER = Path("var/nli-deberta-v3-xsmall")
FILES = {
    "config.json": ("config.json", 1 << 20),
    "tokenizer.json": ("tokenizer.json", 64 << 20),
    "model.onnx": ("onnx/model_quantized.onnx", 512 << 20),
}
"""Names in the folder; each with its name in the repository and the most bytes that it may have."""
_TIMEOUT = aiohttp.ClientTimeout(total=3600, sock_connect=30, sock_read=60)
_CHUNK = 1 << 16


class DownloadError(Exception):
    """The model was not downloaded. The message is one line."""


class Download(Struct, frozen=True):
    """A downloaded model; `commit` is the full hash, or empty if the host didn't say it."""

    commit: str
    sha256: str
    size: int


async def fetch_model(folder: Path, revision: str = REVISION, base: str = BASE) -> Download:
    """Download the model's files into a folder, in place of older ones.

    Raises DownloadError and changes no file of the folder unless all of them have arrived.
    """
    is_new = not await asyncio.to_thread(folder.exists)
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as name:
            download = await _fetch_all(Path(name), revision, base)
            for file in FILES:
                (Path(name) / file).replace(folder / file)
        return download
    except TimeoutError:
        raise DownloadError(f"{base} took too long to answer; try again later") from None
    except aiohttp.ClientError as error:
        raise DownloadError(f"the download from {base} broke off: {error}") from error
    except OSError as error:
        raise DownloadError(f"{folder} can't be written: {error}") from error
    finally:
        if is_new:
            with suppress(OSError):  # it has the model, or was never made
                await asyncio.to_thread(folder.rmdir)


async def _fetch_all(folder: Path, revision: str, base: str) -> Download:
    """Download all files of one commit, even if a branch moves on between them."""
    commit = ""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        for name, (source, limit) in FILES.items():
            path = f"{REPOSITORY}/resolve/{quote(commit or revision, safe='')}/{source}"
            found = await _fetch(session, f"{base}/{path}", folder / name, limit)
            commit = commit or found.commit
    return replace(found, commit=commit)


async def _fetch(session: aiohttp.ClientSession, url: str, file: Path, limit: int) -> Download:
    digest = hashlib.sha256()
    size = 0
    async with session.get(url) as response:
        if response.status != 200:
            raise DownloadError(f"{url} answered HTTP {response.status}")
        with await asyncio.to_thread(file.open, "wb") as opened:
            async for chunk in response.content.iter_chunked(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise DownloadError(f"{url} is larger than {limit:,} bytes")
                digest.update(chunk)
                await asyncio.to_thread(opened.write, chunk)
        # the host itself names the commit, and may redirect to another one for the file
        answers = [*response.history, response]
        commits = [answer.headers.get("X-Repo-Commit", "") for answer in answers]
    known = [commit for commit in commits if re.fullmatch(r"[0-9a-f]{40}", commit)]
    return Download(known[0] if known else "", digest.hexdigest(), size)
