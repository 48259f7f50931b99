"""The model at NLI_MODEL: verdicts, refusals, limits, and that nothing runs without it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.config import Settings, SettingsError
from bot.core.child_process import CallStopped, Limits
from bot.core.limits import MAX_NLI_PAIRS
from bot.diagnosis import check
from bot.interviews.grading.models import opened_verifier
from bot.interviews.grading.nli import NliModel
from bot.interviews.grading.nli_trial import ENOUGH, STATEMENTS, Trial, check_model
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, Ruling, Verdict
from tests.patience import PATIENCE

if find_spec("onnx") is None and "CI" not in os.environ:
    pytest.skip("onnx and onnxruntime have no wheels for this machine", allow_module_level=True)

from tests.nli_models import EATS_MEMORY, EATS_TIME, LABELS, make_model

ROOT = Path(__file__).parents[3]
WORDS = {"yes": "entailment", "no": "contradiction"}
AGREES = PointToCheck("point", (), (), "yes")
DENIES = PointToCheck("point", (), (), "no")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("nli"), WORDS)


async def verdicts(model: NliModel, *points: PointToCheck) -> list[Verdict]:
    rulings = await model.verify("question", "answer", dict(enumerate(points)), 1)
    return [rulings[n].verdict for n in range(len(points))]


async def error_of(folder: Path, sha256: str = "") -> str:
    """Return the message for a model that can't be loaded."""
    model = NliModel(folder, sha256)
    try:
        with pytest.raises(SettingsError) as caught:
            await model.load()
        with pytest.raises(NoOpinion):
            await model.verify("", "", {0: AGREES}, 1)
    finally:
        await model.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------ verdicts


async def test_rulings(folder: Path) -> None:
    """Each point with a passage gets a ruling under its number, the others get none. The end of a long
    passage is not read. Points that would exceed the number of pairs get no ruling."""
    model = NliModel(folder)
    await model.load()
    points = {
        3: AGREES,
        5: DENIES,
        7: PointToCheck("point", (), (), "something else"),
        8: PointToCheck("point", (), (), ""),
        9: PointToCheck("point", (), ("other", "yes"), "passage"),
    }
    assert await model.verify("question", "answer", points, 1) == {
        3: Ruling(Verdict.SAYS, "yes"),
        5: Ruling(Verdict.OPPOSITE, "no"),
        7: Ruling(Verdict.NEITHER),
        9: Ruling(Verdict.OPPOSITE, "passage"),
    }
    long = "|".join(["word"] * 400)
    early, late = (PointToCheck("point", (), (), text) for text in (f"yes|{long}", f"{long}|yes"))
    assert await verdicts(model, early, late) == [Verdict.SAYS, Verdict.NEITHER]
    many = dict.fromkeys(range(MAX_NLI_PAIRS), AGREES)
    assert list(await model.verify("", "", many, 1)) == list(range(MAX_NLI_PAIRS // 2))
    await model.close()


@pytest.mark.parametrize(
    ("labels", "with_types"),
    [(LABELS, False), (("neutral", "contradiction", "entailment"), True)],
)
async def test_kinds_of_models(tmp_path: Path, labels: tuple[str, ...], with_types: bool) -> None:
    """Labels are in the order of config.json; token_type_ids are passed if the model has them."""
    file = "onnx/model_quantized.onnx" if with_types else "onnx/model.onnx"
    make_model(tmp_path, WORDS, labels=labels, file=file, with_types=with_types)
    model = NliModel(tmp_path)
    points = [PointToCheck(word, (), (), word) for word in WORDS]  # each in both orders
    assert await verdicts(model, *points) == [Verdict.SAYS, Verdict.OPPOSITE]
    await model.close()


# ------------------------------------------------------------------ models that can't be used


async def test_missing_files(tmp_path: Path) -> None:
    """One sentence names the file that is missing."""
    assert f"NLI_MODEL can't be used ({tmp_path}): it has none of model.onnx" in await error_of(
        tmp_path
    )
    make_model(tmp_path, WORDS)
    (tmp_path / "tokenizer.json").unlink()
    assert "it has no tokenizer.json" in await error_of(tmp_path)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
async def test_broken_files(tmp_path: Path, file: str) -> None:
    """A file with other content is refused in one sentence."""
    make_model(tmp_path, WORDS)
    (tmp_path / file).write_bytes(b"[")
    assert f"NLI_MODEL can't be used ({tmp_path})" in await error_of(tmp_path)


@pytest.mark.parametrize("labels", [("entailment", "not_entailment"), ("a", "b", "c")])
async def test_other_labels(tmp_path: Path, labels: tuple[str, ...]) -> None:
    """A model without the three labels is refused."""
    make_model(tmp_path, {}, labels=labels)
    assert "doesn't name entailment, contradiction and neutral" in await error_of(tmp_path)


async def test_another_number_of_scores(tmp_path: Path) -> None:
    """A model whose output doesn't fit its labels is refused."""
    make_model(tmp_path, {}, labels=(*LABELS, "other"))
    (tmp_path / "config.json").write_text(json.dumps({"id2label": dict(enumerate(LABELS))}))
    assert "its output is not three numbers" in await error_of(tmp_path)


async def test_the_hash(folder: Path) -> None:
    """A model file with another SHA-256 is refused, and the message has the found one."""
    found = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    model = NliModel(folder, found)
    assert await verdicts(model, AGREES) == [Verdict.SAYS]
    await model.close()
    message = await error_of(folder, "a" * 64)
    assert message.startswith(f"NLI_SHA256 is not the SHA-256 of {folder / 'model.onnx'}")
    assert found in message


async def test_the_missing_extra(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without onnxruntime one sentence says how to install it."""
    (tmp_path / "onnxruntime.py").write_text(
        "raise ModuleNotFoundError('hidden', name='onnxruntime')"
    )
    monkeypatch.syspath_prepend(tmp_path)  # children get the same path
    message = await error_of(folder)
    assert "NLI_MODEL needs the package onnxruntime, which is not installed" in message
    assert "pip install '.[verify]'" in message


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize(
    ("word", "limits"),
    [
        (EATS_MEMORY, Limits(seconds=60, memory=2 << 30)),
        (EATS_TIME, Limits(seconds=4, memory=2 << 30)),
    ],
)
async def test_too_much(folder: Path, word: str, limits: Limits) -> None:
    """A call that exceeds its limits gives no opinion and ends its process; the next one works."""
    model = NliModel(folder, limits=limits)
    with pytest.raises(NoOpinion, match="needs more than"):
        await model.verify("", "", {0: PointToCheck("point", (), (), word)}, 1)
    assert model._process._child is None
    assert await verdicts(model, AGREES) == [Verdict.SAYS]
    await model.close()


async def test_too_little_memory_for_the_model(folder: Path) -> None:
    """A model that doesn't fit is a wrong setting."""
    model = NliModel(folder, limits=Limits(seconds=60, memory=96 << 20))
    with pytest.raises(SettingsError, match=r"^NLI_MODEL can't be used"):
        await model.load()
    await model.close()


async def test_no_ruling_in_time(folder: Path) -> None:
    """A ruling that takes too long is not waited for; errors don't quote the answer."""
    model = NliModel(folder, timeout=0)
    with pytest.raises(NoOpinion, match=r"^no ruling within 0 seconds$"):
        await model.verify("", "", {0: AGREES}, 1)
    await model.close()


async def test_it_cannot_be_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no process can be started, there is no opinion."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "its process could not be started" in await error_of(folder)


def until_called(model: NliModel) -> None:
    while not model._process._lock.locked():
        time.sleep(0.01)


async def test_the_bot_stops(folder: Path) -> None:
    """Calls that end because the bot stops are no failure of the model, and start no process."""
    model = NliModel(folder)
    await model.load()
    slow = {0: PointToCheck("p", (), (), EATS_TIME)}
    waiting = [asyncio.create_task(model.verify("", "", slow, server)) for server in (1, 1, 2)]
    await asyncio.to_thread(until_called, model)
    model._process.kill()
    for each in waiting:
        with pytest.raises(CallStopped):
            await each
    assert model._process._child is None
    await model.close()


# ------------------------------------------------------------------ without it


def output_of(code: str) -> str:
    """Run code in another process, and return what it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout.strip()


def test_without_the_setting() -> None:
    """Without NLI_MODEL nothing of the model is imported, and no process is started."""
    code = """
import asyncio, subprocess, sys
from pathlib import Path
import bot.app, bot.__main__
from bot.config import Settings
from bot.interviews.grading.models import opened_verifier
from bot.interviews.grading.nli import NliModel
from bot.interviews.grading.verifying import NoOpinion
def refuse(*_, **__): raise AssertionError
subprocess.Popen = refuse
async def opened():
    async with opened_verifier(Settings()) as verifier:
        return verifier
assert asyncio.run(opened()) is None
model = NliModel(Path("folder"))
try:
    asyncio.run(model.verify("", "", {}, 1))
except NoOpinion as error:
    assert "no sentence is near" in str(error)
print(*{"onnxruntime", "tokenizers", "numpy", "onnx"} & set(sys.modules))
"""
    assert output_of(code) == ""


def test_the_bot_does_not_import_it(folder: Path) -> None:
    """With a model only its process imports the packages, also for an error."""
    code = f"""
import asyncio, sys
from pathlib import Path
from bot.interviews.grading.nli import NliModel
from bot.interviews.grading.verifying import PointToCheck, NoOpinion
async def main():
    model = NliModel(Path({str(folder)!r}))
    print(len(await model.verify("", "", {{0: PointToCheck("point", (), (), "yes")}}, 1)))
    try:
        await model.verify("", "", {{0: PointToCheck("point", (), (), {EATS_MEMORY!r})}}, 1)
    except NoOpinion:
        print(*{{"onnxruntime", "tokenizers", "numpy"}} & set(sys.modules))
    await model.close()
asyncio.run(main())
"""
    assert output_of(code) == "1"


async def test_the_setting(folder: Path) -> None:
    """NLI_MODEL and NLI_SHA256 become a model, which is loaded before the bot starts."""
    named = {"NLI_MODEL": str(folder)}
    async with opened_verifier(Settings.from_env(named)) as model:
        assert model is not None
        assert model.name == folder.name
        point = PointToCheck("point", (), (), "yes")
        assert (await model.verify("", "", {0: point}, 1))[0].verdict is Verdict.SAYS
    with pytest.raises(SettingsError, match="NLI_SHA256"):
        async with opened_verifier(Settings.from_env({**named, "NLI_SHA256": "A" * 64})):
            pass


# ------------------------------------------------------------------ the check


async def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m bot check` counts right verdicts on twenty points, and warns if they are few."""
    words = {s.paraphrase: "entailment" for s in STATEMENTS}
    words |= {s.opposite: "contradiction" for s in STATEMENTS[:ENOUGH]}
    good = make_model(tmp_path / "good", words)
    assert not await check_model(good, "")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"open answers: fine, checked by {good.name}: it takes 10 of 10")
    assert f"paraphrases as said and {ENOUGH} of 10 opposites as opposite, " in line
    assert line.endswith(" ms each")
    bad = make_model(tmp_path / "bad", WORDS)
    assert not await check_model(bad, "")
    line, warning = capsys.readouterr().out.splitlines()
    assert "it takes 0 of 10 paraphrases as said and 0 of 10 opposites as opposite" in line
    assert warning.startswith("  that is too few to rely on")
    (bad / "model.onnx").unlink()
    url = f"sqlite:///{tmp_path / 'quiz.db'}"
    assert await check(Settings.from_env({"NLI_MODEL": str(bad), "DATABASE_URL": url})) == 2
    *_, line = capsys.readouterr().out.splitlines()
    assert line.startswith("open answers: NLI_MODEL can't be used")


def test_the_statements() -> None:
    """There are ten statements, each with two different sentences about it."""
    texts = [text for s in STATEMENTS for text in (s.text, s.paraphrase, s.opposite)]
    assert len(STATEMENTS) == 10
    assert len(set(texts)) == 30
    assert Trial(said=ENOUGH, opposite=10, seconds=0).is_good
    assert not Trial(said=10, opposite=ENOUGH - 1, seconds=0).is_good
