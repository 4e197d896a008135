"""What integrates to one is left out, and only that."""

import numpy as np
import pytest

from ebmlang.analysis.propriety.densities import independent_columns
from tests.analysis.propriety.road import answers, judged

DATA = {"y": [1.0, 2.0, 4.0, 8.0]}

PROPER = {
    "a hierarchy, centred": "given y: real[J]\nvar mu: real ~ normal(0, 5)\n"
    "var tau: positive ~ half_cauchy(5)\nvar theta: real[J] ~ normal(mu, tau)\n"
    "prefer seen: y ~ normal(theta, 1)",
    "a hierarchy with a flat mean": "given y: real[J]\nvar mu: real\n"
    "var tau: positive ~ half_normal(1)\nvar theta: real[J] ~ normal(mu, tau)\n"
    "prefer seen: y ~ normal(theta, 1)",
    "three levels": "given y: real[J]\nvar a: real ~ normal(0, 1)\n"
    "var s: positive ~ half_normal(1)\nvar b: real ~ normal(a, s)\n"
    "var t: positive ~ half_normal(1)\nvar c: real[J] ~ normal(b, t)\n"
    "prefer seen: y ~ normal(c, 1)",
    "one observation of a scale with a prior": "var mu: real ~ normal(0, 1)\n"
    "var sigma: positive ~ half_normal(1)\nprefer seen: 0.3 ~ normal(mu, sigma)",
    # exp(-E) integrates over mu to sigma^-(N - 1): finite from N = 3 on.
    "a flat location and a flat scale": "given y: real[J]\nvar mu: real\nvar sigma: positive\n"
    "prefer seen: y ~ normal(mu, sigma)",
    "a walk from an anchor with an unknown step": "var s: positive ~ half_normal(1)\n"
    "var x: real[6]\nprefer start: x[0] ~ normal(0, 1)\n"
    "prefer steps: forall a, b in adjacent(x): b - a ~ normal(0, s)",
    "a scale on the log scale": "given y: real[J]\nvar m: real ~ normal(0, 1)\n"
    "var l: real ~ normal(0, 1)\nvar z: real[J] ~ normal(m, exp(l))\n"
    "prefer seen: y ~ normal(z, 1)",
    "a simplex with weight at its corners": "var p: simplex[3] ~ dirichlet([0.5, 0.5, 0.5])",
    "a vector normal under noise of an unknown scale": "given y: real[4]\n"
    "var s: positive ~ half_normal(1)\nvar f: real[4] ~ mv_normal([0, 0, 0, 0], "
    "[[2, 1, 0, 0], [1, 2, 1, 0], [0, 1, 2, 1], [0, 0, 1, 2]])\nprefer seen: y ~ normal(f, s)",
}

NOT_PROPER = {
    # Each is a density given the other, and their product is of the difference alone.
    "a circle of two": "var g: real ~ normal(h, 1)\nvar h: real ~ normal(g, 1)",
    "a circle of three": "var g: real ~ normal(h, 1)\nvar h: real ~ normal(k, 1)\n"
    "var k: real ~ normal(g, 1)",
    "a vector around itself": "var x: real[3]\n"
    "prefer a: x ~ mv_normal([x[1], x[2], x[0]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]])",
    "scales of each other": "var g: positive ~ half_normal(h)\nvar h: positive ~ half_normal(g)",
    "its own scale": "var x: positive\nprefer a: x ~ normal(0, x)",
    "two observations of a flat location and a flat scale": "var mu: real\n"
    "var sigma: positive\nprefer a: 0 ~ normal(mu, sigma)\nprefer b: 1 ~ normal(mu, sigma)",
    "twice the same": "var g: real\nvar h: real\nprefer a: g + h ~ normal(0, 1)\n"
    "prefer b: g + h ~ cauchy(0, 1)",
    "a density of another weight": "var s: positive\nvar x: real\n"
    "prefer a: x ~ normal(0, s) weight 0.5\nprefer b: s ~ half_normal(1)",
    "a normal on a sphere": "var s: positive ~ gamma(0.5, 1)\nvar u: unit[3]\n"
    "prefer d: u ~ normal([0, 0, 1], s)",
}


@pytest.mark.parametrize("text", PROPER.values(), ids=list(PROPER))
def test_a_model_of_densities_is_integrated_from_its_leaves(text):
    _, _, integrable = answers(text, DATA if "given" in text else {})

    assert integrable == "proper"


@pytest.mark.parametrize("text", NOT_PROPER.values(), ids=list(NOT_PROPER))
def test_what_is_no_density_of_anything_is_not_integrated(text):
    _, _, integrable = answers(text)

    assert integrable != "proper"


def test_the_flat_location_and_scale_need_three_observations():
    text = "given y: real[J]\nvar mu: real\nvar sigma: positive\nprefer a: y ~ normal(mu, sigma)"

    found = [answers(text, {"y": list(range(count))})[2] for count in range(1, 5)]

    assert found == ["improper", "improper", "proper", "proper"]


def test_the_proof_names_what_was_integrated_out():
    found = judged(PROPER["a hierarchy, centred"], DATA).integrable

    assert any("`theta` integrates to one" in reason.text for reason in found.because)


def test_independent_columns_are_as_many_as_the_rank():
    rng = np.random.default_rng(0)
    for rank in range(1, 5):
        matrix = rng.normal(size=(6, rank)) @ rng.normal(size=(rank, 5))

        columns = independent_columns(matrix)

        assert len(columns) == rank
        assert np.linalg.matrix_rank(matrix[:, columns]) == rank
