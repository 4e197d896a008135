"""A small model with data, whose optimum is known: a weighted mean with a flat prior."""

from ebmlang.api.load import loads
from ebmlang.api.model import Model

FIT = """
const scale = 1
given y: real[N]
given sigma: real[N]
given k: real = 2
var mu: real in [-100, 100]
prefer fit: y ~ normal(scale * mu, sigma)
prefer pull: mu ~ normal(0, 1000) weight 0.5
report doubled = k * mu
"""

DATA = {"y": [1.0, 2.0, 4.0], "sigma": [1.0, 1.0, 2.0]}


def fit() -> Model:
    return loads(FIT, name="fit.ebm")
