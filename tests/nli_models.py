"""Tiny ONNX models for natural language inference, made for tests.

Texts are split at "|", and each piece is one token. A token may have a label, whose score it raises;
without any such token a pair is neutral.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

LABELS = ("contradiction", "entailment", "neutral")
EATS_MEMORY = "(needs 64 GiB)"
EATS_TIME = "(never ends)"
_SPECIAL = ("[UNK]", "[CLS]", "[SEP]", EATS_MEMORY, EATS_TIME)


def make_model(
    folder: Path,
    words: Mapping[str, str],
    *,
    labels: tuple[str, ...] = LABELS,
    file: str = "model.onnx",
    with_types: bool = False,
) -> Path:
    """Write a model and return its folder; `words` has the label of each token.

    A model `with_types` has the input token_type_ids, and needs it to tell the two texts apart: it
    counts words of the second text only.
    """
    vocabulary = [*_SPECIAL, *words]
    table = np.zeros((len(vocabulary), len(labels)), np.float32)
    for word, label in words.items():
        table[vocabulary.index(word), labels.index(label)] = 8
    neutral = np.zeros(len(labels), np.float32)
    neutral[-1 if "neutral" not in labels else labels.index("neutral")] = 4
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(_graph(table, neutral, with_types), folder / file)
    config = {"id2label": {str(n): label.upper() for n, label in enumerate(labels)}}
    (folder / "config.json").write_text(json.dumps(config))
    _tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    return folder


def _tokenizer(vocabulary: list[str]) -> Tokenizer:
    ids = {word: n for n, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("|", "removed")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return tokenizer


def _graph(table: np.ndarray, neutral: np.ndarray, with_types: bool) -> onnx.ModelProto:
    """Return a model that adds up the rows of `table` for a pair's tokens."""

    def constant(name: str, array: np.ndarray) -> onnx.TensorProto:
        return numpy_helper.from_array(array, name)

    size = np.zeros(len(table), np.int64)
    size[_SPECIAL.index(EATS_MEMORY)] = 1 << 34
    rounds = np.zeros(len(table), np.int64)
    rounds[_SPECIAL.index(EATS_TIME)] = 1 << 60
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        # memory: a tensor as large as the tokens say
        helper.make_node("Gather", ["size", "input_ids"], ["sizes"]),
        helper.make_node("ReduceSum", ["sizes", "last"], ["length"], keepdims=0),
        helper.make_node("ConstantOfShape", ["length"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["nothing"], keepdims=0),
        # time: as many rounds as the tokens say
        helper.make_node("Gather", ["rounds", "input_ids"], ["all_rounds"]),
        helper.make_node("ReduceSum", ["all_rounds"], ["trips"], keepdims=0),
        helper.make_node("Loop", ["trips", "", "nothing"], ["result"], body=_loop_body()),
        helper.make_node("Add", ["neutral", "result"], ["start"]),
    ]
    inputs = ["input_ids", "attention_mask"]
    counted = "attention_mask"
    if with_types:
        inputs.append("token_type_ids")
        counted = "token_type_ids"
    nodes += [
        helper.make_node("Cast", [counted], ["weights"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weights", "two"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "last"], ["sums"], keepdims=0),
        helper.make_node("Add", ["sums", "start"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "length"]) for n in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(neutral)])],
        [
            constant("table", table),
            constant("neutral", neutral),
            constant("size", size),
            constant("rounds", rounds),
            constant("last", np.array([1], np.int64)),
            constant("two", np.array([2], np.int64)),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _loop_body() -> onnx.GraphProto:
    """Return the body of a loop that hands its value on."""
    return helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("Identity", ["value"], ["next_value"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next_value", TensorProto.FLOAT, []),
        ],
    )
