"""Typed answers that are right or wrong for an accepted form."""

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


def _pairs(table: str) -> list[tuple[str, str]]:
    """Return the pairs of a table with lines `answer | accepted form` and comments."""
    rows = [line.split(" | ") for line in table.strip().splitlines() if line[:1] != "#"]
    return [(answer, form) for answer, form in rows]


OPPOSITES = [
    (one + rest, other + rest)
    for prefixes, ends in _ALIKE.items()
    for rest in ends.split()
    for n, one in enumerate(prefixes.split())
    for other in prefixes.split()[n + 1 :]
] + _pairs(_OTHERS)
"""Pairs of an answer and an accepted form that must not match."""

SAME = _pairs(
    r"""
# a number in words
Zero | 0
12 | twelve
# a typo, a plural, British spelling, a hyphen or a space
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
# case, accents, punctuation, spaces, articles and an abbreviation in brackets
Attention | attention
multi query attention | multi-query attention
multiquery attention | multi-query attention
the chain rule | chain rule
Bayes rule | Bayes' rule
Bayes’ rule. | Bayes' rule
poincare | Poincaré
[CLS] | CLS
multi-query attention (MQA) | multi-query attention
in context learning! | in-context learning
ＥＯＳ | EOS
# a slip in a long word, two in a very long one
attemtion | attention
regularziaton | regularization
replai | replay
# separators of thousands, spaces and the sign for percent
17 | 17
17. | 17
50257 | 50,257
50,257 | 50257
50 257 | 50257
12,000,000 | 12000000
1/8 | 1/8
1 / 8 | 1/8
12.5% | 12.5%
12.5 % | 12.5%
12.5 percent | 12.5%
-3 | −3
17 bits | 17bits
0.41 | 0.41
.41 | .41
2e-3 | 2e-3
.41 | 0.41
0.41 | .41
# spaces around a minus
k - 1 | k-1
k -1 | k-1
k- 1 | k-1
# another notation of the same value
0,3 | 0.3
0,002 | 0.002
3,0 | 3
0,3 nats | 0.3 nats
5×10^7 | 50 million
5 · 10⁷ | 50,000,000
$5 \times 10^{7}$ | 5e7
2×10⁻³ | 0.002
50M | 50 million
5! | 120
\frac{1}{8} | 1/8
k = 1 | 1
about 9 | 9
≈ 9 s | 9 s
1,5 % | 1.5%
"""
)
"""Pairs of an answer and an accepted form with the same meaning."""

WRONG = _pairs(
    r"""
# short words are exact, and more slips are too many
EOT | EOS
CLP | CLS
deaf | dead
replica | replay
atentoin | attention
atentin | attention layer
atntn | attention
!!! | attention
() | attention
# the right words with another meaning
not attention | attention
attention not | attention
no attention | attention
attention | not attention
without attention | attention
never attention | attention
it is anything but attention | attention
attention or convolution | attention
unsupervised learning | supervised learning
nonlinear | linear
in-context learning | context
irreversible | reversible
values are now scaled | values are not scaled
weights are not updated | weights are now updated
asymetric | symmetric
assymetric | symmetric
asimmetric | symmetric
asymmetrc | symmetric
# a bracket that takes the answer back
attention (not) | attention
attention (no, convolution) | attention
# another term of the field
micro | macro
increasing | decreasing
# numbers in words are exact
50 billion | 50 million
twelve billion | twelve million
five percent | nine percent
five seconds | nine seconds
epoch nine | epoch five
eight | an eighth
two hundred and sixty-six | two hundred and fifty-six
# numbers are exact, with their signs, decimals and percent
18 | 17
170 | 17
1.7 | 17
12.5% | 125%
125% | 12.5%
1.25% | 12.5%
12.5 | 12.5%
12.5% | 12.5
-3 | 3
3 | -3
minus 3 | 3
0.41 | 0.14
0.4 | 0.41
0.041 | 0.41
8.33 | 8.3
16 times as many | 17 times as many
BM52 | BM25
120000 | 12000
10^-5 | 10^5
0,5 | 5
# two numbers are not the number that their digits spell
1/8 | 18
18 | 1/8
150 | 1/50
1-8 | 18
3:4 | 34
2^10 | 210
½ | 12
12 5 | 125
1,8 | 18
10,00 | 1000
# points and signs are part of a number
.5 | 5
5 | .5
125 | .125
41 | .41
2e3 | 2e-3
1e-5 | 1e5
- 3 | 3
# another value or another unit
5 | 120
6! | 120
1,500 | 1.5
0,3 bits | 0.3 nats
0.3% | 0.003
5×10^6 | 50 million
−5×10^7 | 50 million
1/0 | 0
9 minutes | 9 seconds
3 or 4 | 3
3, 4 | 3.4
"""
)
"""Pairs of an answer and an accepted form with another meaning, in this direction."""
