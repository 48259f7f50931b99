"""What `python -m bot check` asks the model at NLI_MODEL: statements with a paraphrase and an opposite."""

from __future__ import annotations

import time
from pathlib import Path

from msgspec import Struct

from bot.config import SettingsError
from bot.interviews.grading.nli import NliModel
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, Verdict, Verifier

ENOUGH = 7
"""Right verdicts of ten below which a model is called unsuitable, for paraphrases and for opposites."""


class Statement(Struct, frozen=True):
    """A fact, the same fact in other words, and a well-formed sentence that says the opposite."""

    text: str
    paraphrase: str
    opposite: str


STATEMENTS = (
    Statement(
        text="Dropout is switched off when the network makes predictions.",
        paraphrase="At inference time no units are dropped.",
        opposite="Units go on being dropped at random while the network makes predictions.",
    ),
    Statement(
        text="A learning rate that is too large makes training diverge.",
        paraphrase="If the optimizer takes steps that are too big, the loss blows up.",
        opposite="However large the learning rate is, training converges.",
    ),
    Statement(
        text="An overfitted model has a low error on the training data and a high one on new data.",
        paraphrase="Overfitting means doing well on examples seen in training and badly on unseen ones.",
        opposite="An overfitted model does better on new data than on the data it was trained on.",
    ),
    Statement(
        text="L1 regularization drives many weights to exactly zero.",
        paraphrase="With an L1 penalty, lots of the coefficients end up being 0.",
        opposite="An L1 penalty leaves every weight different from zero.",
    ),
    Statement(
        text="The cost of full self-attention grows with the square of the sequence length.",
        paraphrase="If a text gets twice as long, self-attention takes four times the work.",
        opposite="The cost of full self-attention grows in proportion to the sequence length.",
    ),
    Statement(
        text="A lower temperature makes the sampled text less random.",
        paraphrase="Turning the temperature down makes the output more predictable.",
        opposite="The lower the temperature is, the more random the sampled text gets.",
    ),
    Statement(
        text="The test set must not be used to choose hyperparameters.",
        paraphrase="Hyperparameters have to be picked without looking at the test data.",
        opposite="Hyperparameters should be chosen by their results on the test set.",
    ),
    Statement(
        text="LoRA keeps the pretrained weights frozen and trains small added matrices.",
        paraphrase="In LoRA only little extra matrices are learned, while the original weights stay fixed.",
        opposite="LoRA updates all of the pretrained weights and adds no matrices.",
    ),
    Statement(
        text="Recall is the share of the actual positives that the model finds.",
        paraphrase="Of everything that is truly positive, recall tells which fraction was detected.",
        opposite="Recall is the share of the model's positive predictions that are correct.",
    ),
    Statement(
        text="A causal language model can't attend to tokens that come later.",
        paraphrase="Each position of a causal language model sees only itself and what precedes it.",
        opposite="In a causal language model each token attends to the tokens after it.",
    ),
)


class Trial(Struct, frozen=True):
    """Right verdicts of ten on paraphrases and on opposites, and seconds for each point."""

    said: int
    opposite: int
    seconds: float

    @property
    def is_good(self) -> bool:
        return min(self.said, self.opposite) >= ENOUGH


async def try_model(model: Verifier) -> Trial:
    """Ask a model about the twenty points. Raises NoOpinion if it gives none."""
    passages = [s.paraphrase for s in STATEMENTS] + [s.opposite for s in STATEMENTS]
    points = {
        number: PointToCheck(statement.text, (), (), passage)
        for number, (statement, passage) in enumerate(zip(STATEMENTS * 2, passages, strict=True))
    }
    began = time.perf_counter()
    rulings = await model.verify("", " ".join(passages), points, 0)
    seconds = (time.perf_counter() - began) / len(points)
    verdicts = [rulings[number].verdict for number in points]
    return Trial(
        said=verdicts[: len(STATEMENTS)].count(Verdict.SAYS),
        opposite=verdicts[len(STATEMENTS) :].count(Verdict.OPPOSITE),
        seconds=seconds,
    )


async def check_model(folder: Path, sha256: str) -> bool:
    """Print what the model in a folder makes of the points; return whether it can't be used."""
    model = NliModel(folder, sha256)
    try:
        await model.load()
        trial = await try_model(model)
    except SettingsError as error:
        print(f"open answers: {error}")
        return True
    except NoOpinion as error:
        print(f"open answers: NLI_MODEL gives no rulings: {error}")
        return True
    finally:
        await model.close()
    print(
        f"open answers: fine, checked by {model.name}: it takes {trial.said} of 10 "
        f"paraphrases as said and {trial.opposite} of 10 opposites as opposite, "
        f"{1000 * trial.seconds:.0f} ms each"
    )
    if not trial.is_good:
        print("  that is too few to rely on: unset NLI_MODEL, or run python -m bot model fetch")
    return False
