"""Word lists of the grader: English function words, and how people of the field write the same thing differently.

Nothing here belongs to a single question. Lists are short on purpose: accepted phrasings of a key point do most of the work.
"""

from __future__ import annotations

import math

FUNCTION_WORDS = frozenset(
    """
    a an the this that these those it its it's itself he she they them their theirs themselves we us our ours you your
    yours i me my mine one ones who whom whose which what when where why how
    is are was were be been being am isn't aren't wasn't weren't has have had having hasn't haven't hadn't do does did
    doing done don't doesn't didn't can could will would shall should may might must can't cannot couldn't won't wouldn't
    shouldn't ain't let's that's there's what's they're you're we're i'm i've we've you've he's she's
    and or but nor so yet if then else because since although though while whereas unless until than as
    of in on at by for with from to into onto about over under between among through during via per up down out off
    against within without across toward towards upon along around
    not no never none nothing nobody neither n't
    also just only even still too very quite rather really simply basically actually often usually typically generally
    mostly always sometimes here there thus hence therefore however moreover instead etc eg ie
    some any each every all both either such other others another same own more most much many few lot lots
    get gets got make makes made making like way ways thing things something anything everything
    """.split()  # noqa: SIM905 - a list of words reads better than a hundred quoted strings
)

GLUE = frozenset({"and", "or", "the", "a", "an", "etc", "also"})

# Written with a space, with a hyphen or as one word: read as one.
PREFIXES = frozenset("sub pre post multi re un auto hyper meta semi anti inter intra mis de co bi".split())  # noqa: SIM905
COMPOUNDS = frozenset(
    """
    finetune finetuned finetuning finetunes overfit overfits overfitting underfit underfitting timestep timesteps
    dataset datasets feedforward backpropagation backprop lookup tradeoff tradeoffs runtime online offline bottleneck
    checkpoint checkpoints wordpiece sentencepiece hyperparameter hyperparameters softmax logit logits layernorm
    batchnorm dropout speedup workload codebase database frontend backend downstream upstream
    """.split()  # noqa: SIM905
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
        "kd": "knowledge distillation", "ood": "out-of-distribution", "cot": "chain thought", "icl": "in-context learning",
        "mle": "maximum likelihood", "nll": "negative log likelihood", "mse": "mean squared error", "db": "database",
        "bpe": "byte pair encoding", "mlm": "masked language modeling", "clm": "causal language modeling",
        "peft": "parameter efficient finetuning", "nlp": "language processing", "ml": "machine learning",
        "gen": "generation", "info": "information", "repo": "repository", "docs": "documents", "doc": "document",
        "mem": "memory", "attn": "attention", "emb": "embedding", "embs": "embeddings", "approx": "approximate",
        "avg": "average", "temp": "temperature", "max": "maximum", "min": "minimum", "diff": "difference",
    }.items()
}  # fmt: skip

NUMBERS = {
    **{word: float(n) for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split())},
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0,
    "hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "half": 0.5, "twice": 2.0, "double": 2.0,
    "doubles": 2.0, "doubled": 2.0, "once": 1.0,
}  # fmt: skip
del NUMBERS["one"]  # mostly a pronoun
SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "trillion": 1e12}
SCALES |= {"%": 1e-2, "percent": 1e-2}
assert all(math.isfinite(n) for n in NUMBERS.values())

# Words that a marker would take for each other in most sentences. The first form is only a name for the group.
SYNONYMS = tuple(
    tuple(line.split())
    for line in """
    large big huge bigger larger great greater
    small little tiny smaller
    fast quick rapid speed faster speedy
    slow slower slowly
    cheap cheaper inexpensive
    expensive costly cost price pay
    increase grow rise raise higher boost up
    decrease reduce lower shrink drop fall cut less fewer
    parameter weight
    example demonstration sample instance
    update change modify adjust alter
    fixed frozen constant unchanged
    train fit learn
    guess predict estimate
    error mistake wrong incorrect
    correct right accurate
    answer response reply output
    question query prompt
    split cut break divide segment
    join combine merge concatenate
    turn convert map transform become
    use apply employ
    show demonstrate reveal
    need require
    keep retain preserve remain stay
    remove drop delete discard prune
    choose select pick
    begin start first
    end stop finish
    rare uncommon infrequent unusual
    common frequent popular
    unknown unseen new novel
    text document passage
    chunk piece segment fragment part
    important matter crucial key
    problem issue trouble
    limit bound cap
    memory ram
    time latency
    compute computation calculate computing
    size length
    generate produce create
    explain describe
    copy duplicate replicate
    similar alike close near
    different differ distinct vary
    random stochastic
    average mean
    fail break
    help aid improve better benefit
    worse degrade hurt harm
    compare contrast
    check verify test validate measure evaluate
    fact truth factual
    user customer person human people
    teach instruct
    simple easy
    hard difficult
    direct straight
    whole entire full complete
    add append
    store save cache
    fetch retrieve lookup find search
    order sequence
    distance offset
    prevent avoid stop
    cause lead result
    depend rely
    probability likelihood chance likely
    """.strip().splitlines()
)
OPPOSITES = tuple(
    (tuple(one.split()), tuple(other.split()))
    for one, _, other in (
        line.partition("|")
        for line in """
        increase grow rise raise higher larger bigger more greater longer big large high long | decrease reduce lower shrink smaller fewer less shorter small low short
        faster fast quick | slower slow
        cheaper cheap | costly expensive
        better improve | worse degrade
        before | after
        first | last
        open | closed close
        positive | negative
        same equal | different
        early earlier | late later
        maximum maximize | minimum minimize
        input | output
        encoder | decoder
        always | never
        supervised | unsupervised
        """.strip().splitlines()
    )
)
