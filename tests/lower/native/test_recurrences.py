"""Recurrences in machine code, and batches of any size on any number of threads."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang.graph import RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.lower.native import function
from ebmlang.lower.native.build import find_compiler
from ebmlang.lower.native.slopes import group_slopes
from ebmlang.passes.gradient import differentiate
from tests.lower.native.unit import Asked, build_functions, reports
from tests.lower.sketch import Sketch, evaluate
from tests.passes.recurrences import recurrences

pytestmark = [
    pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler"),
    pytest.mark.slow,
]

SIZES = {"start": (2,), "elements": (4, 2), "matrix": (2, 2)}


def recurrence(varying):
    """Return s <- tanh(A s) + b e over four steps, with some of its parts unknown."""
    body = Sketch()
    state, element, matrix = (
        body.parameter(0, (2,)),
        body.parameter(1, (2,)),
        body.parameter(2, (2, 2)),
    )
    scaled = body("mul", element, body.constant([0.5, 2.0]))
    result = body("add", body("tanh", body("matvec", matrix, state)), scaled)
    s = Sketch()
    first, elements, captured = (
        s.variable(path, shape) if varies else s.given(path, shape)
        for (path, shape), varies in zip(SIZES.items(), varying, strict=True)
    )
    out = s.scan(body.body(result), first, [elements], [captured], steps=4, rank=1)
    s.root(RootKind.REPORT, out, "out")
    return s.graph(), out


def test_a_recurrence_has_its_value_for_any_mixture_of_what_varies():
    mixtures = [mixture for mixture in itertools.product([True, False], repeat=3) if any(mixture)]
    rng = np.random.default_rng(7)
    cases = []
    for mixture in mixtures:
        graph, out = recurrence(mixture)
        names = [path for path, varies in zip(SIZES, mixture, strict=True) if varies]
        data = {path: rng.normal(size=SIZES[path]) for path in SIZES if path not in names}
        points = {path: rng.normal(size=(5, *SIZES[path])) for path in names}
        energy = compile_graph(graph, dtype=torch.float64)
        energy.bind(data)
        cases.append((energy, graph, out, points, data))
    functions = build_functions([reports(case[0]) for case in cases])

    for (energy, graph, out, points, data), run in zip(cases, functions, strict=True):
        (found,) = run(energy.pack({path: torch.tensor(v) for path, v in points.items()}))
        for chain, value in enumerate(found.numpy()):
            leaves = {**data, **{path: values[chain] for path, values in points.items()}}
            expected = evaluate(graph, leaves)[out]
            np.testing.assert_allclose(value, expected.reshape(-1), rtol=1e-12)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(recurrences(), min_size=12, max_size=12))
def test_a_recurrence_has_its_value_and_its_gradient(cases):
    """Of a dozen at a time, since each compilation takes a second."""
    asked = []
    for case in cases:
        energy = compile_graph(case.graph, dtype=torch.float64)
        energy.bind(case.data)
        slopes = differentiate(case.graph, case.total)
        asked.append(Asked(energy=energy, graph=slopes, groups=group_slopes(slopes)))
    functions = build_functions(asked)

    for case, one, run in zip(cases, asked, functions, strict=True):
        x = one.energy.pack({path: torch.tensor(v) for path, v in case.points.items()})
        values, gradients = (found.numpy() for found in run(x))
        for chain, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
            leaves = case.data | {path: v[chain] for path, v in case.points.items()}
            with np.errstate(all="ignore"):
                truth = evaluate(one.graph, leaves)
            expected = np.concatenate([truth[n].reshape(-1) for n in one.groups[1]])
            np.testing.assert_allclose(value, truth[one.groups[0][0]], rtol=1e-9)
            scale = max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(gradient / scale, expected / scale, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 3])
def test_chains_do_not_depend_on_the_batch_they_are_in(threads, monkeypatch):
    """Blocks that are not full, more threads than blocks, and points that are not contiguous."""
    monkeypatch.setattr(function, "thread_count", lambda *_: threads)
    s = Sketch()
    x = s.variable("x", (3,))
    s.root(RootKind.REPORT, s("sum", s("exp", x), axes=(-1,)), "out")
    energy = compile_graph(s.graph(), dtype=torch.float64)
    (run,) = build_functions([reports(energy)])
    points = torch.tensor(np.random.default_rng(2).normal(size=(3, 50))).T

    (whole,) = run(points)

    np.testing.assert_allclose(whole, points.exp().sum(1), rtol=1e-14)
    for size in (0, 1, 7, 8, 9, 17):
        assert torch.equal(run(points[:size])[0], whole[:size])
