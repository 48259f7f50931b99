"""The part of `bot.interviews.grading.nli` that runs in its child process, with the model loaded.

Only its functions import onnxruntime, tokenizers and numpy. They raise no error of these
libraries, because the bot would import them to read it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from bot.config import SettingsError
from bot.interviews.grading.entailment import Probabilities

MODEL_FILES = ("model.onnx", "onnx/model_quantized.onnx", "onnx/model.onnx")
"""The first of these that a folder has is its model."""
MAX_TOKENS = 256
"""Tokens of a pair; the longer text is cut. Time grows faster than the number of tokens."""
_LABELS = {"entailment", "contradiction", "neutral"}
_EXAMPLE = "var/nli-deberta-v3-xsmall"


class _Model(Struct, frozen=True):
    run: Callable[[dict[str, Any]], Any]
    """Returns an array of scores: one row for the pair, a column for each label."""
    inputs: frozenset[str]
    tokenizer: Any
    columns: dict[str, int]
    """The column of each label."""


def probabilities(
    folder: str, sha256: str, pairs: Sequence[tuple[str, str]]
) -> list[Probabilities]:
    """Return the model's answer about each pair. Loads the model if this process has not yet.

    Raises SettingsError if the model can't be used, MemoryError if there is too little memory, and
    RuntimeError if it fails otherwise.
    """
    try:
        model = _loaded(folder, sha256)
        return [_ask(model, pair) for pair in pairs]
    except SettingsError:
        raise
    except Exception as error:  # without its text, which may quote members
        if _is_out_of_memory(error):
            raise MemoryError from None
        raise RuntimeError(type(error).__name__) from None


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory was too little. Only the text of onnxruntime's error tells."""
    texts = "bad_alloc", "Failed to allocate memory"
    return isinstance(error, MemoryError) or any(text in str(error) for text in texts)


@lru_cache(maxsize=1)
def _loaded(folder: str, sha256: str) -> _Model:
    """Return the model after a trial. A model of another kind fails there."""
    try:
        model = _read(folder, sha256)
        _ask(model, ("Water is wet.", "Water is dry."))
    except Exception as error:
        if isinstance(error, SettingsError) or _is_out_of_memory(error):
            raise
        raise _unusable(folder, f"{type(error).__name__}: {error}") from error
    return model


def _read(folder: str, sha256: str) -> _Model:
    names = [name for name in MODEL_FILES if (Path(folder) / name).is_file()]
    if not names:
        raise _unusable(folder, f"it has none of {', '.join(MODEL_FILES)}")
    for name in ("tokenizer.json", "config.json"):
        if not (Path(folder) / name).is_file():
            raise _unusable(folder, f"it has no {name}")
    file = Path(folder) / names[0]
    if sha256:
        _check_hash(file, sha256)
    columns = _columns(folder)
    # more threads would take more address space, and the bot needs the other cores
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        wrong = f"needs the package {error.name}, which is not installed: pip install '.[verify]'"
        raise SettingsError.of("NLI_MODEL", wrong, _EXAMPLE) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # errors are raised, and need not be printed as well
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return _Model(
        run=lambda feeds: session.run(None, feeds)[0],
        inputs=frozenset(item.name for item in session.get_inputs()),
        tokenizer=tokenizer,
        columns=columns,
    )


def _check_hash(file: Path, sha256: str) -> None:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        wrong = f"is not the SHA-256 of {file}, which has {found}"
        raise SettingsError.of("NLI_SHA256", wrong, "64 hexadecimal digits")


def _columns(folder: str) -> dict[str, int]:
    """Return the column of each label, by the model's own config.json."""
    try:
        labels = json.loads((Path(folder) / "config.json").read_bytes())["id2label"]
        columns = {str(label).lower(): int(number) for number, label in labels.items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        columns = {}
    if columns.keys() != _LABELS or sorted(columns.values()) != [0, 1, 2]:
        wrong = "id2label in its config.json doesn't name entailment, contradiction and neutral"
        raise _unusable(folder, wrong)
    return columns


def _ask(model: _Model, pair: tuple[str, str]) -> Probabilities:
    """Ask the model about one pair.

    Batches are no faster on one thread and take more memory, and the rounding of a quantized model
    would make the answer about a pair depend on the others.
    """
    import numpy as np

    encoded = model.tokenizer.encode(pair[0], pair[1])
    feeds = {
        "input_ids": encoded.ids,
        "attention_mask": encoded.attention_mask,
        "token_type_ids": encoded.type_ids,
    }
    scores = model.run(
        {name: np.array([row], np.int64) for name, row in feeds.items() if name in model.inputs}
    )
    if scores.shape != (1, len(_LABELS)) or not np.isfinite(scores).all():
        raise ValueError("its output is not three numbers")
    powers = np.exp(scores[0] - scores.max())
    shares = powers / powers.sum()
    return Probabilities(
        entailment=float(shares[model.columns["entailment"]]),
        contradiction=float(shares[model.columns["contradiction"]]),
    )


def _unusable(folder: str, why: str) -> SettingsError:
    """Return the error about the folder at NLI_MODEL."""
    reason = " ".join(why.split())[:300]
    return SettingsError.of("NLI_MODEL", f"can't be used ({folder}): {reason}", _EXAMPLE)
