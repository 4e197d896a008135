"""Whole specs in machine code: value and gradient against the straight tier and the oracle."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from ebmlang.api import load, read_data
from ebmlang.api.compile import compile_model
from ebmlang.lower.gradient import Question, gradient_graph
from ebmlang.lower.native.build import find_compiler
from ebmlang.lower.native.emit import Declined, emit_native
from ebmlang.lower.native.slopes import group_slopes
from ebmlang.passes.gradient import NoRuleError
from ebmlang.testing.strategies import specs
from ebmlang.testing.values import by_oracle, compiled, points_of
from tests.lower.native.unit import Asked, build_functions

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

SHARP = {"rtol": 1e-9, "atol": 1e-9}
"""float64, the same formulas summed in another order: some thousand roundings, behind tolerances
down to 1e-3 that are squared."""

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_random_specs_have_the_values_of_the_oracle_and_the_slopes_of_the_straight_tier():
    cases = []

    @settings(
        max_examples=24,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(specs(depth=2))
    def collect(case):
        cases.append(case)

    collect()
    asked, kept = [], []
    for case in cases:
        energy = compiled(case)
        try:
            graph = gradient_graph(energy.graph, Question.ENERGY)
        except NoRuleError:
            continue
        groups = group_slopes(graph)
        if not isinstance(emit_native(graph, sum(groups, ()), "f"), Declined):
            asked.append(Asked(energy=energy, graph=graph, groups=groups))
            kept.append(case)
    assert len(kept) > 15
    functions = build_functions(asked)

    for case, one, function in zip(kept, asked, functions, strict=True):
        x = one.energy.pack(points_of(case, torch.float64))
        value, gradient = function(x)
        expected, slopes = one.energy.packed().energy_and_gradient(x)
        truth = by_oracle(case).total
        np.testing.assert_allclose(value, truth, rtol=1e-10, atol=1e-10, err_msg=case.text)
        np.testing.assert_allclose(value, expected.expand(len(x)), err_msg=case.text, **SHARP)
        finite = np.isfinite(truth)
        np.testing.assert_allclose(gradient[finite], slopes[finite], err_msg=case.text, **SHARP)


EXAMPLES = {
    "antenna": None,
    "arm": None,
    "cloud": None,
    "cluster": None,
    "desk": None,
    "eight_schools": "eight_schools.json",
    "fit": "fit.csv",
    "layout": None,
    "mixture": None,
    "pack": None,
    "target": None,
    "thin_film": None,
}


@pytest.mark.slow
def test_the_examples_have_the_values_and_slopes_of_the_straight_tier():
    asked, names = [], []
    for name, data in EXAMPLES.items():
        model = load(ROOT / "examples" / f"{name}.ebm")
        if data is not None:
            model = model.bind(read_data(ROOT / "examples" / data))
        energy = compile_model(model, dtype=torch.float64)
        for question in (Question.ENERGY, Question.LAGRANGIAN):
            try:
                graph = gradient_graph(energy.graph, question)
            except NoRuleError:
                continue
            groups = group_slopes(graph)
            program = emit_native(graph, sum(groups, ()), "f")
            assert not isinstance(program, Declined) or "extern" in program.reason, program
            asked.append(Asked(energy=energy, graph=graph, groups=groups))
            names.append((name, question))
    functions = build_functions(asked)

    rng = np.random.default_rng(5)
    for (name, question), one, function in zip(names, asked, functions, strict=True):
        x = torch.tensor(rng.uniform(0.05, 0.95, (21, one.energy.dim)))
        width = one.energy.packed().requirements(x).shape[1]
        terms = [torch.tensor(rng.uniform(0.5, 1.5, (21, width))) for _ in range(4)]
        packed = one.energy.packed()
        if question is Question.ENERGY:
            value, gradient = function(x)
            expected, slopes = packed.energy_and_gradient(x)
        else:
            value, gradient = function(x, *terms)
            expected, slopes = packed.lagrangian_and_gradient(x, *terms)
        np.testing.assert_allclose(value, expected.expand(21), err_msg=name, **SHARP)
        np.testing.assert_allclose(gradient, slopes, err_msg=name, **SHARP)
