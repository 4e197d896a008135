"""The name of a graph's content: the same for the same, another for anything else."""

import numpy as np
import pytest

from ebmlang.graph.build import build_graph
from ebmlang.graph.fingerprint import fingerprint
from ebmlang.graph.integrands import extract_integrand, list_integrands
from ebmlang.passes import ANALYZED, optimize
from tests.road import typed

SPEC = """
given k: real
var x: real in [0, 2]
prefer shape: normalize(energy(k * x^2)) or x ~ normal(0, 1)
"""


def name_of(text, k=1.0):
    graph = optimize(build_graph(typed(text), {}), ANALYZED)
    (integral,) = list_integrands(graph)
    return fingerprint(extract_integrand(graph, integral), {"k": np.asarray(k)}, ("method", 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("prefer shape", "\n\n prefer other"),
        ("x ~ normal(0, 1)", "x ~ normal(3, 2)"),
        ("given k: real", "given k: real = 2\nvar y: real\nprefer more: y ~ normal(x, k)"),
    ],
)
def test_what_lies_outside_of_it_does_not_count(old, new):
    assert name_of(SPEC.replace(old, new)) == name_of(SPEC)


@pytest.mark.parametrize(
    ("old", "new"), [("x^2", "x^4"), ("[0, 2]", "[0, 3]"), ("k *", "2 * k *"), ("x^2", "x^2 + 1")]
)
def test_what_it_computes_does_count(old, new):
    assert name_of(SPEC.replace(old, new)) != name_of(SPEC)


def test_the_data_counts():
    assert name_of(SPEC, 1.0) != name_of(SPEC, np.nextafter(1.0, 2.0))


def test_a_recurrence_counts_by_its_body():
    scan = "(scan s = x over i in 1..3: {})[3]"
    text = f"var x: real\ngiven k: real\nprefer a: normalize(energy({scan}^2))"

    first, same, other = (name_of(text.format(body)) for body in ("s * k", "s * k", "s + k"))

    assert first == same != other
