"""The decomposition of an energy is exact, and says what the formulas say by hand."""

import math
from decimal import Decimal, getcontext
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from ebmlang.analysis.composition import Composition, Joint, compose
from ebmlang.lower.decomposition import Reading, _log_rate, recompose
from ebmlang.lower.module import CompiledEnergy, compile_graph
from ebmlang.lower.pieces import read_terms, trace_pieces
from ebmlang.passes import optimize
from ebmlang.testing.strategies import Arithmetic, Case, specs
from tests.road import typed

torch.set_num_threads(1)

LAW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])

EXACT = 1e-10
"""Relative to the sum of magnitudes: some rounding steps of float64, with room."""


def taken_apart(
    text: str, points: dict[str, object], data=None, sizes=None
) -> tuple[CompiledEnergy, Composition, dict[str, Reading]]:
    composition = compose(typed(text), sizes or {})
    module = compile_graph(optimize(composition.graph), dtype=torch.float64)
    module.bind(data or {})
    x = module.pack({path: torch.tensor(np.asarray(v)) for path, v in points.items()})
    roots = [root for term in composition.terms for root in term.piece.roots()]
    values = trace_pieces(module, roots)(x).values()
    return module, composition, read_terms(module, composition, values)


def total_of(module: CompiledEnergy, points: dict[str, object]) -> np.ndarray:
    x = module.pack({path: torch.tensor(np.asarray(v)) for path, v in points.items()})
    return module.packed().energy(x).detach().numpy()


def stacked(case: Case) -> dict[str, object]:
    return {path: np.stack([point[path] for point in case.points]) for path in case.points[0]}


@pytest.mark.slow
@LAW
@given(case=specs(Arithmetic.SMOOTH, depth=2))
def test_leaves_offsets_and_entropies_add_up_to_the_energy(case: Case) -> None:
    points = stacked(case)
    names = {"g", "y", "k", "n", "f"}
    data = {path: value for path, value in case.data.items() if path in names}

    module, _, readings = taken_apart(case.text, points, data, case.sizes)

    soft = [r for r in readings.values() if (r.coefficient > 0).all()]
    expected = np.broadcast_to(total_of(module, points), (len(case.points),))
    if soft:
        size = sum(np.abs(r.energy) for r in soft)
        finite = np.isfinite(expected)
        found = recompose(soft)
        assert np.all(np.abs(found - expected)[finite] <= EXACT * (1 + size[finite]))


@pytest.mark.slow
@LAW
@given(case=specs(Arithmetic.SMOOTH, depth=2))
def test_responsibilities_of_siblings_sum_to_one(case: Case) -> None:
    names = {"g", "y", "k", "n", "f"}
    data = {path: value for path, value in case.data.items() if path in names}

    _, _, readings = taken_apart(case.text, stacked(case), data, case.sizes)

    for reading in (one for top in readings.values() for one in top.walk()):
        if not reading.parts:
            continue
        if reading.piece.axes is None:
            total = sum(part.responsibility for part in reading.parts)
            any_part = np.ones_like(total, dtype=bool)
        else:
            (part,) = reading.parts
            axes = tuple(range(-len(reading.piece.axes.shape), 0))
            total = part.responsibility.sum(axis=axes)
            any_part = part.counts.any(axis=axes)
        np.testing.assert_allclose(total[any_part], 1.0, atol=1e-12)


def test_a_noisy_or_is_shared_in_proportion_to_the_rates_of_its_branches() -> None:
    """With C = (1/2, 2): l = -log(1 - e^-C), and the whole is -log(1 - e^-(l1 + l2))."""
    text = "var x: real\nprefer either: x >= 1 or x <= -2"

    _, _, readings = taken_apart(text, {"x": [0.0]})

    rates = -np.log1p(-np.exp([-0.5, -2.0]))
    shares = rates / rates.sum()
    whole = -math.log(1 - math.exp(-rates.sum()))
    left, right = readings["either"].parts
    assert left.responsibility == pytest.approx(shares[0], abs=1e-14)
    assert right.responsibility == pytest.approx(shares[1], abs=1e-14)
    assert left.offset == pytest.approx(whole - math.log(shares[0]) - 0.5, abs=1e-14)
    assert right.offset == pytest.approx(whole - math.log(shares[1]) - 2.0, abs=1e-14)
    assert (left.energy, right.energy) == (pytest.approx(0.5), pytest.approx(2.0))
    entropy = -np.sum(shares * np.log(shares))
    assert readings["either"].entropy == pytest.approx(entropy, abs=1e-14)
    assert readings["either"].energy == pytest.approx(whole, abs=1e-14)


@pytest.mark.parametrize("x", [-1e15, -1e8, -30.0, -1.0, 1 - 1e-6, 1 - 1e-12, 1.0, 5.0])
def test_branches_that_are_the_same_share_a_noisy_or_equally(x: float) -> None:
    text = "var x: real\nprefer one: x >= 1 or x >= 1 or x >= 1"

    module, _, readings = taken_apart(text, {"x": [x]})

    found = np.concatenate([part.responsibility for part in readings["one"].parts])
    np.testing.assert_allclose(found, 1 / 3, rtol=1e-14)
    energy = total_of(module, {"x": [x]})
    np.testing.assert_allclose(recompose([readings["one"]]), energy, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_branches_of_a_noisy_or_does_not_count(order: tuple[int, ...]) -> None:
    branches = ["x >= 1", "x >= 3", "x <= -1"]
    points = [0.0, 0.9999999, 1.0, 4.0, -8.0, 1e4, -1e4]
    text = "var x: real\nprefer one: {} or {} or {}"

    _, _, expected = taken_apart(text.format(*branches), {"x": points})
    _, _, found = taken_apart(text.format(*(branches[i] for i in order)), {"x": points})

    for place, number in enumerate(order):
        left, right = found["one"].parts[place], expected["one"].parts[number]
        np.testing.assert_allclose(left.responsibility, right.responsibility, rtol=1e-12)
        np.testing.assert_allclose(left.offset, right.offset, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found["one"].entropy, expected["one"].entropy, rtol=1e-12)


def test_branches_that_hold_for_sure_take_a_noisy_or_equally() -> None:
    text = "var x: real\nprefer one: x >= 1 or x >= 9 or x >= 2"

    _, _, readings = taken_apart(text, {"x": [5.0]})

    assert [float(part.responsibility[0]) for part in readings["one"].parts] == [0.5, 0, 0.5]
    assert recompose([readings["one"]]) == pytest.approx(0, abs=1e-15)


def test_rates_are_those_of_exact_arithmetic_from_tiny_to_huge_energies() -> None:
    """The oracle has 60 digits: log(-log(1 - e^-C)), for huge C with its series -C + e^-C / 2."""
    getcontext().prec = 60
    one = Decimal(1)
    for energy in (1e-300, 1e-16, 1e-3, 0.5, math.log(2), 10.0, 39.999, 40.0, 80.0):
        exact = (-((one - (-Decimal(energy)).exp()).ln())).ln() if energy > 1e-40 else None
        expected = math.log(-math.log(energy)) if exact is None else float(exact)
        found = float(_log_rate(np.array(energy)))
        assert found == pytest.approx(expected, rel=1e-13, abs=1e-13)
    np.testing.assert_array_equal(
        _log_rate(np.array([800.0, 1e30, np.inf])), [-800, -1e30, -np.inf]
    )


def test_a_mixture_is_shared_by_weight_times_density() -> None:
    text = "var x: real\nprefer two: mix(1: x ~ normal(0, 1), 3: x ~ normal(2, 1))"

    _, _, readings = taken_apart(text, {"x": [0.5]})

    densities = np.array([0.25 * math.exp(-(0.5**2) / 2), 0.75 * math.exp(-(1.5**2) / 2)])
    left, right = readings["two"].parts
    assert left.responsibility == pytest.approx(densities[0] / densities.sum(), abs=1e-14)
    assert left.offset == pytest.approx(math.log(4), abs=1e-14)
    assert right.offset == pytest.approx(math.log(4 / 3), abs=1e-14)


def test_an_exists_over_densities_counts_the_elements_that_pass() -> None:
    text = """
given n: int
const places = [0, 1, 5]
var x: real
prefer one: exists i in 0..2 where i < n: x ~ normal(places[i], 1)
"""
    _, _, readings = taken_apart(text, {"x": [0.0]}, {"n": 2})

    (branch,) = readings["one"].parts
    shares = np.array([1.0, math.exp(-0.5), 0.0])
    np.testing.assert_allclose(branch.responsibility[0], shares / shares.sum(), atol=1e-14)
    np.testing.assert_allclose(branch.offset[0], [math.log(2), math.log(2), 0], atol=1e-14)
    assert branch.counts[0].tolist() == [True, True, False]


def test_a_softmin_has_no_offset() -> None:
    text = "var x: real\nprefer low: softmin(energy(x^2), energy((x - 1)^2))"

    _, _, readings = taken_apart(text, {"x": [0.25]})

    left, right = readings["low"].parts
    assert left.offset == 0
    assert left.responsibility == pytest.approx(1 / (1 + math.exp(0.0625 - 0.5625)), abs=1e-14)
    assert right.energy == pytest.approx(0.5625)


def test_in_godel_logic_the_worst_of_an_and_takes_all_and_ties_share() -> None:
    text = "logic godel\nvar x: real\nvar y: real\nprefer both: x >= 1 and y >= 1 and x >= 0"

    _, _, readings = taken_apart(text, {"x": [0.0, 0.0], "y": [-1.0, 0.0]})

    found = np.stack([part.responsibility for part in readings["both"].parts], axis=-1)
    np.testing.assert_array_equal(found, [[0, 1, 0], [0.5, 0.5, 0]])


def test_in_godel_logic_the_best_of_an_or_takes_all() -> None:
    text = "logic godel\nvar x: real\nprefer one: x >= 1 or x <= -3"

    _, _, readings = taken_apart(text, {"x": [0.0]})

    assert [float(part.responsibility[0]) for part in readings["one"].parts] == [1, 0]
    assert readings["one"].entropy == 0


def test_a_sum_is_shared_in_proportion_and_equally_where_all_is_zero() -> None:
    text = "var x: real[2]\nprefer all: forall v in x: v >= 1"

    _, _, readings = taken_apart(text, {"x": [[0.0, -1.0], [2.0, 2.0]]})

    (element,) = readings["all"].parts
    np.testing.assert_allclose(element.responsibility, [[0.2, 0.8], [0.5, 0.5]])


def test_weights_of_parts_and_terms_multiply_and_maximize_flips_the_sign() -> None:
    text = """
spec leg(h: real) {
  var k: real
  prefer bend: k >= h weight 2
  maximize high: k
}
part left = leg(1) weight 3
"""
    _, _, readings = taken_apart(text, {"left.k": [0.0]})

    assert readings["left.bend"].factor == 6
    assert readings["left.bend"].energy == pytest.approx(3.0)
    assert readings["left.high"].factor == -3


def test_a_spec_as_an_expression_shows_its_terms_with_their_weights() -> None:
    text = """
spec calm(a: real) {
  prefer low: a <= 0 weight 2
  prefer high: a >= -1
}
var x: real
prefer either: calm(x) or calm(x - 3)
"""
    _, composition, readings = taken_apart(text, {"x": [1.0]})

    first = readings["either"].parts[0]
    assert [part.piece.text for part in first.parts] == ["low", "high"]
    assert first.parts[0].energy == pytest.approx(1.0)
    assert composition.terms[0].piece.joint is Joint.NOISY_OR


def test_what_is_under_a_not_is_read_negated() -> None:
    text = "var x: real\nprefer out: not (x >= 0 and x <= 2)"

    _, _, readings = taken_apart(text, {"x": [1.0]})

    whole = readings["out"]
    assert whole.piece.joint is Joint.NOISY_OR
    assert [part.piece.text for part in whole.parts] == ["not x >= 0", "not x <= 2"]
    assert [float(part.margin[0]) for part in whole.parts] == [-1.0, -1.0]


def test_the_sides_of_a_comparison_are_read_as_they_are_where_one_is_a_recurrence() -> None:
    """The states of h -> h / 2 + v are h, h / 2 + v0 and h / 4 + v0 / 2 + v1."""
    text = """
var h: real[2]
var v: real[2]
prefer calm: forall i in 0..1: (scan s = h[i] over w in v: s / 2 + w) <= h[i]
"""
    h, v = np.array([1.0, 3.0]), np.array([0.5, -2.0])
    composition = compose(typed(text), {})
    module = compile_graph(optimize(composition.graph), dtype=torch.float64)
    (each,) = composition.terms[0].piece.parts
    (comparison,) = each.parts
    relation = comparison.relation
    assert relation is not None

    points = {"h": torch.tensor(h[None]), "v": torch.tensor(v[None])}
    read = trace_pieces(module, [relation.left, relation.right])
    values = read(module.pack(points)).values()

    states = np.stack([h, h / 2 + v[0], h / 4 + v[0] / 2 + v[1]], axis=-1)
    np.testing.assert_allclose(values.energies[relation.left][0], states, rtol=1e-15)
    np.testing.assert_array_equal(values.energies[relation.right][0], np.stack([h, h, h], axis=-1))
