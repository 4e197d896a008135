"""The graph of the Lagrangian has the value that its formula gives."""

import numpy as np
import torch

import ebmlang
from ebmlang.api.graphs import find_graph
from ebmlang.graph import RootKind
from ebmlang.graph.integrands import keep_roots
from ebmlang.graph.validate import validate_graph
from ebmlang.lower.emit import list_required
from ebmlang.lower.module import compile_graph
from ebmlang.passes.lagrangian import COUNTS, write_lagrangian

SPEC = """
var x: real[3] in [-2, 2]
var n: real in [0, 1]
minimize cost: sum(x^2) + n * log(n)
require above: x >= n
require apart: abs(x[0] - x[1]) >= 0.5
"""

MARGINS = 4


def margins(x: np.ndarray) -> np.ndarray:
    above = x[:, :3] - x[:, 3:]
    return np.concatenate([above, np.abs(x[:, :1] - x[:, 1:2]) - 0.5], 1)


def write(spec: str):
    graph, _ = find_graph(ebmlang.loads(spec))
    required = [number for _, number in list_required(graph)]
    return graph, write_lagrangian(graph, required)


def evaluate(counts: float, x: np.ndarray, rows: list[np.ndarray]) -> np.ndarray:
    _, graph = write(SPEC)
    validate_graph(graph)
    module = compile_graph(graph, dtype=torch.float64)
    assert [given.path for given in graph.givens][0] == COUNTS
    columns = [torch.full((len(x),), counts, dtype=torch.float64), *map(torch.tensor, rows)]
    return module.over_rows(tuple(columns)).energy(torch.tensor(x)).numpy()


def draw(rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    x = rng.uniform(-2, 2, (50, 4))
    x[:, 3] = rng.uniform(0.1, 1, 50)
    multipliers, penalty, scale, slack = (rng.uniform(0.1, 2, (50, MARGINS)) for _ in range(4))
    multipliers[rng.random(multipliers.shape) < 0.5] = 0
    return x, [multipliers, penalty, scale, slack]


def test_value_is_that_of_the_formula() -> None:
    x, rows = draw(np.random.default_rng(0))
    multipliers, penalty, scale, slack = rows
    pressure = np.maximum(0, multipliers - penalty * scale * (margins(x) - slack))
    energy = (x[:, :3] ** 2).sum(1) + x[:, 3] * np.log(x[:, 3])
    expected = energy + ((pressure**2 - multipliers**2) / (2 * penalty)).sum(1)

    np.testing.assert_allclose(evaluate(1.0, x, rows), expected, rtol=1e-12)


def test_without_the_energy_it_is_half_the_squared_violation() -> None:
    """Also where the energy is no number: it does not count."""
    x, (_, _, scale, slack) = draw(np.random.default_rng(1))
    x[::2, 3] = -0.5
    short = np.maximum(0, scale * (slack - margins(x)))

    found = evaluate(-1.0, x, [np.zeros_like(scale), np.ones_like(scale), scale, slack])

    np.testing.assert_allclose(found, (short**2).sum(1) / 2, rtol=1e-12)


def test_without_requirements_it_is_the_energy_itself() -> None:
    graph, written = write("var x: real in [0, 1]\nminimize e: x^2")

    assert not written.givens
    assert [root.kind for root in written.roots] == [RootKind.TOTAL]
    ((root, number),) = graph.roots_of(RootKind.TOTAL)
    assert written.nodes == keep_roots(graph, {root: number}).nodes
