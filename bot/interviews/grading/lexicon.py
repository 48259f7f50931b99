"""Word lists of the grader: English function words, and different words for the same thing.

Nothing here is about a single question. The lists are short on purpose: the accepted phrasings of
key points do most of the work.
"""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text. It reads more easily than as many quoted strings."""
    return frozenset(text.split())


FUNCTION_WORDS = word_set(
    """
    a an the this that these those it its it's itself he she they them their theirs themselves we us our ours you your
    yours i me my mine one ones who whom whose which what when where why how
    is are was were be been being am isn't aren't wasn't weren't has have had having hasn't haven't hadn't do does did
    doing done don't doesn't didn't can could will would shall should may might must can't cannot couldn't won't
    wouldn't shouldn't ain't let's that's there's what's they're you're we're i'm i've we've you've he's she's
    and or but nor so yet if then else because since although though while whereas unless until than as
    of in on at by for with from to into onto about over under between among through during via per up down out off
    against within without across toward towards upon along around
    not no never none nothing nobody neither n't
    also just only even still too very quite rather really simply basically actually often usually typically generally
    mostly always sometimes here there thus hence therefore however moreover instead etc eg ie
    some any each every all both either such other others another same own more most much many few lot lots
    get gets got make makes made making like way ways thing things something anything everything
    """
)

# Grammatical words: prose has them, and a list of terms lacks them. GLUE is kept apart because terms
# can be strung together with it.
GRAMMAR = word_set(
    """
    is are was were be been it it's its that this these those which they their them you your we our i of to in for with
    as by from on at has have can does do so if when not don't doesn't isn't
    """
)
GLUE = frozenset({"and", "or", "the", "a", "an"})

# These are joined with the next word, however it is spelled: sub words, sub-words, subwords.
PREFIXES = word_set("sub pre post multi re un auto hyper meta semi anti inter intra mis de co bi")
COMPOUNDS = word_set(
    """
    finetune finetuned finetuning finetunes overfit overfits overfitting underfit underfitting timestep timesteps
    dataset datasets feedforward backpropagation backprop lookup tradeoff tradeoffs runtime online offline bottleneck
    checkpoint checkpoints wordpiece sentencepiece hyperparameter hyperparameters softmax logit logits layernorm
    batchnorm dropout speedup workload codebase database frontend backend downstream upstream
    """
)

ABBREVIATIONS = {
    short: tuple(full.split())
    for short, full in {
        "llm": "language model", "llms": "language models", "lm": "language model", "lms": "language models",
        "vocab": "vocabulary", "params": "parameters", "param": "parameter", "hparams": "hyperparameters",
        "lr": "learning rate", "sgd": "stochastic gradient descent", "nn": "neural network", "nns": "neural networks",
        "dnn": "neural network", "ffn": "feedforward network", "mlp": "feedforward network", "prob": "probability",
        "probs": "probabilities", "proba": "probability", "dist": "distribution", "seq": "sequence", "dim": "dimension",
        "dims": "dimensions", "config": "configuration", "backprop": "backpropagation", "eval": "evaluation",
        "evals": "evaluations", "rag": "retrieval augmented generation", "rl": "reinforcement learning",
        "rlhf": "reinforcement learning human feedback", "sft": "supervised finetuning", "moe": "mixture experts",
        "kd": "knowledge distillation", "ood": "outside distribution", "cot": "chain thought",
        "icl": "context learning",
        "mle": "maximum likelihood", "nll": "negative log likelihood", "mse": "mean squared error", "db": "database",
        "bpe": "byte pair encoding", "mlm": "masked language modeling", "clm": "causal language modeling",
        "peft": "parameter efficient finetuning", "nlp": "language processing", "ml": "machine learning",
        "gen": "generation", "info": "information", "repo": "repository", "docs": "documents", "doc": "document",
        "mem": "memory", "attn": "attention", "emb": "embedding", "embs": "embeddings", "approx": "approximate",
        "avg": "average", "temp": "temperature", "max": "maximum", "min": "minimum", "diff": "difference",
    }.items()
}  # fmt: skip

# "one" is left out because it is mostly a pronoun.
NUMBERS = {
    "zero": 0.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
    "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0,
    "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0,
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0,
    "hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "half": 0.5, "twice": 2.0, "double": 2.0,
    "doubles": 2.0, "doubled": 2.0, "once": 1.0,
}  # fmt: skip
SCALES = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "million": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "trillion": 1e12,
}
SCALES |= {"%": 1e-2, "percent": 1e-2}

# Words that mean the same in most sentences of the field.
SYNONYMS = tuple(
    tuple(line.split())
    for line in """
    large big huge bigger larger
    small little tiny smaller
    fast quick rapid faster quicker
    cheap cheaper inexpensive
    increase grow rise raise
    decrease reduce lower shrink fall
    parameter weight
    example demonstration sample instance
    guess predict estimate
    error mistake
    wrong incorrect
    correct right accurate
    join combine merge concatenate
    need require
    remove drop delete discard
    choose select pick
    rare uncommon infrequent unusual
    common frequent popular
    chunk piece segment fragment part
    limit bound cap
    memory ram
    compute calculate
    generate produce create
    explain describe
    copy duplicate replicate
    similar alike
    close near
    different differ distinct vary
    random stochastic
    average mean
    worse degrade hurt harm
    compare contrast
    simple easy
    hard difficult
    whole entire full complete
    distance offset
    depend rely
    update change modify alter
    answer response reply
    split cut divide
    convert transform turn
    use apply employ
    show reveal
    keep retain preserve
    problem issue
    expensive costly
    fixed frozen constant unchanged
    unknown unseen
    prevent avoid
    help aid
    check verify validate
    evaluate measure
    fetch retrieve lookup
    start begin
    save store
    train learn
    probability likelihood chance
    """.strip().splitlines()
)

# Both sides of a scale. A passage with the other side than the phrasing contradicts it. Comparatives
# of speed are left out, because one thing is faster when the other is slower.
OPPOSITES = tuple(
    tuple(tuple(side.split()) for side in line.split("|"))
    for line in """
    large larger largest big bigger high higher highest great greater | small smaller smallest low lower lowest little
    increase increases grow rise raise | decrease reduce lower shrink fall drop
    fast quick | slow slowly
    before previous earlier | after next later subsequent
    first | last
    same equal identical equally evenly | different differ vary unequal unevenly
    sharp sharper sharpen peaked | flat flatter flatten uniform
    near nearer close closer similar | far apart distant
    better best good improve | worse worst bad badly degrade hurt
    positive | negative
    cheap | expensive costly
    easy simple | hard difficult
    common frequent | rare rarely seldom infrequent
    sparse | dense
    parallel | sequential sequentially
    correct right accurate | wrong incorrect inaccurate
    minimize | maximize
    short shorter shortest | long longer longest
    weak weaker | strong stronger
    unseen unknown | seen known
    static fixed frozen constant | dynamic
    linear linearly | quadratic quadratically
    """.strip().splitlines()
)
