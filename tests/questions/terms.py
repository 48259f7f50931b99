"""Terms of the field that differ by a few letters and in meaning, and honest ways to write a term."""

from __future__ import annotations

_ALIKE = {
    "intra inter": "class cluster group domain modal subject document sentence layer node annotator session "
    "batch patch frame channel token task rater host process class-variance cluster-distance",
    "max min": "imization imizer imize imum imal pooling -pooling -heap -norm -margin -cut -flow -sum",
    "macro micro": "average -average averaging averaged benchmark service level action batch state -precision "
    "-recall F1-score -expert strategy structure architecture economics",
    "over under": "fitting sampling estimate estimation confidence parameterized parametrization flow determined "
    "smoothing dispersion complete represented trained",
    "en de": "coder code coding coded crypt cryption crypted queue",
    "up down": "sampling stream link load scaling scale weight weighting date",
    "pre post": "training processing normalization condition order tokenization activation filter trained",
    "homo hetero": "scedastic scedasticity geneous geneity phily morphic",
    "uni bi multi": "variate directional modal gram nomial",
    "in ex": "trinsic clusive clude ternal ternalize hale",
    "im ex": "plicit port ported",
    "sub super": "set script sampling class vised graph space word",
    "hyper hypo": "nym nymy thesis plane graph tension",
    "endo exo": "genous geneity",
    "positive negative": "-class -definite -sampling -pairs",
    "forward backward": "-pass -propagation -chaining -selection -algorithm",
}
_OTHERS = """
expectation minimization | expectation maximization
entropy minimization | entropy maximization
likelihood minimization | likelihood maximization
entropymaximization | entropy minimization
autodecoder | autoencoder
variational autodecoder | variational autoencoder
variationalautodecoder | variational autoencoder
argmin | argmax
softmin | softmax
maximin | minimax
minority class | majority class
macroaverage | micro average
microaveraging | macroaveraging
intracluster distance | inter-cluster distance
intraclassvariance | interclass variance
quartile | quantile
quartile regression | quantile regression
covariance shift | covariate shift
covariant shift | covariate shift
generation model | generative model
exploration | exploitation
precision | recall
specificity | sensitivity
bagging | boosting
inductive | deductive
deductive | abductive
discriminative | generative
parametric | nonparametric
symmetric | asymmetric
convex | concave
sparse | dense
gradient ascent | gradient descent
type I error | type II error
L1 regularization | L2 regularization
top-p sampling | top-k sampling
false positive | false negative
true positive | true negative
row-wise | column-wise
left-to-right | right-to-left
upper bound | lower bound
encoder-only | decoder-only
encoder-decoder attention | decoder-encoder attention
absolute position | relative position
hard attention | soft attention
local attention | global attention
online learning | offline learning
on-policy | off-policy
model-based | model-free
early stopping | early exit
static quantization | dynamic quantization
supervised | unsupervised
isotropic | anisotropic
stationary | nonstationary
monolingual | multilingual
"""
OPPOSITES = [
    (one + rest, other + rest)
    for prefixes, ends in _ALIKE.items()
    for rest in ends.split()
    for n, one in enumerate(prefixes.split())
    for other in prefixes.split()[n + 1 :]
] + [tuple(line.split(" | ")) for line in _OTHERS.strip().splitlines()]
"""Pairs of an answer and an accepted form, neither of which may pass for the other."""

SAME = [
    tuple(line.split(" | "))
    for line in """
atention | attention
attenntion | attention
attentoin | attention
attension | attention
tokenisation | tokenization
tokeniser | tokenizer
tokenizaton | tokenization
regularisation | regularization
regularizaton | regularization
regularizatoin | regularization
normalisation | normalization
batch normalisation | batch normalization
layer normalisaton | layer normalization
quantisation | quantization
optimisation | optimization
optimiser | optimizer
optimzer | optimizer
generalisation | generalization
vectorisation | vectorization
maximisation | maximization
maximzation | maximization
expectation maximisation | expectation maximization
minimisation | minimization
minimiztion | minimization
neighbour | neighbor
nearest neighbours | nearest neighbors
labelling | labeling
modelling | modeling
language modelling | language modeling
text summarisation | text summarization
behaviour cloning | behavior cloning
embeddings | embedding
embeding | embedding
embedings | embeddings
transformers | transformer
tranformer | transformer
trasnformer | transformer
back propagation | backpropagation
back-propagation | backpropagation
backpropogation | backpropagation
backpropagaton | backpropagation
fine tunning | finetuning
fine-tuning | finetuning
finetunning | fine-tuning
pre training | pretraining
pretrainig | pretraining
over fitting | overfitting
overfiting | overfitting
underfiting | underfitting
gradient decent | gradient descent
gradient chekpointing | gradient checkpointing
cross entrophy | cross entropy
crossentropy | cross-entropy
nucelus sampling | nucleus sampling
temprature | temperature
perplexitiy | perplexity
hyper parameter | hyperparameter
hyperparamter | hyperparameter
macro-averageing | macro-averaging
micro averagng | micro averaging
intercluter | intercluster
auto encoder | autoencoder
autoencodr | autoencoder
convolutions | convolution
convolutinal | convolutional
reinforcment learning | reinforcement learning
homogenous | homogeneous
multi query atention | multi-query attention
""".strip().splitlines()
]
"""Pairs of an answer and an accepted form that it means."""
