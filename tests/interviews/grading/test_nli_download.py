"""`python -m bot model fetch`, from a server on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web

from bot.__main__ import StartError, _parser
from bot.config import Settings
from bot.interviews.grading import nli_download
from bot.interviews.grading.nli_download import FILES, REPOSITORY, DownloadError, fetch_model

COMMIT = "0123456789abcdef" * 2 + "01234567"
MODEL = b"model" * 50_000
CONTENT = {
    "config.json": b"{}",
    "tokenizer.json": b'{"version": "1.0"}',
    "onnx/model_quantized.onnx": MODEL,
}
MODEL_NAME = "onnx/model_quantized.onnx"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def hub(
    model: Handler | None = None, commit: str = COMMIT
) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve the files as the hub does; `model` replaces the last one. Yields address and paths."""
    paths: list[str] = []

    async def resolve(request: web.Request) -> web.StreamResponse:
        paths.append(request.raw_path)
        name = request.match_info["name"]
        headers = {"X-Repo-Commit": commit} if commit else {}
        if name == MODEL_NAME:  # large files are on another host, which doesn't say the commit
            return web.Response(status=302, headers={"Location": "/files/model", **headers})
        return web.Response(body=CONTENT[name], headers=headers)

    async def send_model(_: web.Request) -> web.StreamResponse:
        return web.Response(body=MODEL)

    app = web.Application()
    app.router.add_get(f"/{REPOSITORY}/resolve/{{revision}}/{{name:.*}}", resolve)
    app.router.add_get("/files/model", model or send_model)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", paths
    finally:
        await runner.cleanup()


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files in a folder, hidden ones too."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


async def test_a_download(tmp_path: Path) -> None:
    """All files are of the commit that the first one came from, and the model's hash is known. Without
    a commit from the host, they are of the given revision."""
    folder = tmp_path / "var" / "nli"
    for revision, commit, pinned in (("main", COMMIT, COMMIT), ("refs/pr/1", "", "refs%2Fpr%2F1")):
        async with hub(commit=commit) as (base, paths):
            download = await fetch_model(folder, revision, base)
        assert (download.commit, download.size) == (commit, len(MODEL))
        assert download.sha256 == hashlib.sha256(MODEL).hexdigest()
        assert contents(folder) == {name: CONTENT[source] for name, (source, _) in FILES.items()}
        first, second = (quote(each, safe="") for each in (revision, commit or revision))
        assert pinned == second
        assert paths == [
            f"/{REPOSITORY}/resolve/{first}/config.json",
            f"/{REPOSITORY}/resolve/{second}/tokenizer.json",
            f"/{REPOSITORY}/resolve/{second}/{MODEL_NAME}",
        ]


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(MODEL))})
    await response.prepare(request)
    await response.write(MODEL[:100_000])
    assert request.transport is not None
    request.transport.close()
    return response


async def refuse(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


async def too_large(_: web.Request) -> web.StreamResponse:
    return web.Response(body=MODEL + b"x")


@pytest.mark.parametrize(
    ("model", "words"),
    [(break_off, "broke off"), (refuse, "answered HTTP 404"), (too_large, "is larger than")],
)
async def test_a_failed_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Handler, words: str
) -> None:
    """An older model stays as it was, and a new folder is not left behind."""
    monkeypatch.setitem(FILES, "model.onnx", (MODEL_NAME, len(MODEL)))
    old = tmp_path / "old"
    old.mkdir()
    before = {"config.json": b"old", "model.onnx": b"old"}
    for name, content in before.items():
        (old / name).write_bytes(content)
    async with hub(model) as (base, _):
        for folder in (old, tmp_path / "new"):
            with pytest.raises(DownloadError, match=words) as caught:
                await fetch_model(folder, "main", base)
            assert "\n" not in str(caught.value)
    assert contents(old) == before
    assert not (tmp_path / "new").exists()


async def test_no_host(tmp_path: Path) -> None:
    """A host that can't be reached and a folder that can't be written are one sentence each."""
    async with hub() as (base, _):
        (tmp_path / "file").write_text("")
        with pytest.raises(DownloadError, match="can't be written"):
            await fetch_model(tmp_path / "file", "main", base)
    with pytest.raises(DownloadError, match="broke off"):
        await fetch_model(tmp_path / "new", "main", base)
    assert not (tmp_path / "new").exists()


async def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints the settings that pin what it has downloaded."""
    folder = tmp_path / "nli"
    options = _parser().parse_args(["model", "fetch", str(folder), "--revision", "v1"])
    async with hub() as (base, paths):
        monkeypatch.setattr(nli_download, "BASE", base)
        await options.run(Settings(), options)
    assert paths[0] == f"/{REPOSITORY}/resolve/v1/config.json"
    lines = capsys.readouterr().out.splitlines()
    assert f"{folder}: {len(MODEL):,} bytes, of {COMMIT}" in lines
    assert f"to download the same again: --revision {COMMIT}" in lines
    assert f"NLI_MODEL={folder}" in lines
    assert f"NLI_SHA256={hashlib.sha256(MODEL).hexdigest()}" in lines
    with pytest.raises(StartError, match="the model was not downloaded: the download from"):
        await options.run(Settings(), options)
