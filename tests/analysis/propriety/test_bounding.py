"""A bound from below is one: E less the bound never falls far out."""

import numpy as np
import pytest

import ebmlang
from ebmlang.analysis.affine import Row
from ebmlang.analysis.propriety.bounding import Bounding
from ebmlang.analysis.propriety.lower_bound import Atom, Conjunction
from ebmlang.lang.facts import Growth, Rate
from tests.analysis.propriety.road import forms_of, total_of

RADII = (1e2, 1e4)
POINTS = 400

LOSS = 0.01
"""How much of the atoms' growth is allowed to be missing: a bound says nothing of constants."""

ENERGIES = {
    "hinges": "var x: real\nvar y: real\nprefer a: x + y <= 1 within 0.5\nprefer b: x >= 2 * y",
    "an equality": "var x: real\nvar y: real\nprefer a: x == 2 * y within 0.1",
    "an or": "var x: real\nvar y: real\nprefer a: x + y <= 1 or x == 2 within 1",
    "an or in godel logic": "logic godel\nvar x: real\nvar y: real\nprefer a: x <= 1 or y <= 2 * x",
    "an and in godel logic": "logic godel\nvar x: real\nvar y: real\n"
    "prefer a: x <= 1 and y <= 2 * x and x + y >= 3",
    "a mixture": "var x: real\nvar y: real\nprefer a: mix(0.2: x ~ normal(y, 1), 0.8: "
    "x ~ cauchy(2, 1))",
    "heavy tails": "var x: real\nvar y: real\nprefer a: x - y ~ student_t(3, 0, 2)\n"
    "prefer b: x ~ laplace(0, 1)\nprefer c: y ~ logistic(1, 1)",
    "a repelled normal": "var x: real\nvar y: real\nprefer a: x ~ normal(y, 1)\n"
    "prefer b: y ~ normal(0, 1)\nprefer c: repel(x ~ normal(1, 2), 1)",
    "a product": "var x: real\nvar y: real\nminimize e: x * y + 2 * x^2 + 2 * y^2 - 3 * x + y",
    "a length": "var x: real[2]\nminimize e: (norm(x - [1, 2]) - 3)^2 + norm(x)",
    "a root less what it holds": "var x: real\nvar y: real\nminimize e: "
    "(sqrt(abs(x)) - 3)^2 + y^2 - sqrt(abs(y))",
    "a maximum": "var x: real\nvar y: real\nminimize e: max([2 * x, y - x, 3 - y])",
    "a soft maximum": "var x: real\nvar y: real\nminimize e: log(exp(x) + exp(y - x) + exp(-y))",
    "a fourth power": "var x: real\nvar y: real\nminimize e: x^4 - 3 * x^2 + y^2 - x * y",
    "a bounded factor": "var x: real\nvar y: real\nminimize e: x * sin(y) + abs(x) / 2 + y^2",
    "a difference of soft hinges": "var x: real\nvar y: real\n"
    "minimize e: (softplus(x) - softplus(-x) - y)^2 + softplus(y)",
    "logs of squares": "var x: real\nvar y: real\nminimize e: 2 * log1p(x^2 + y^2) - log1p(x^2)",
    "a logistic regression": "var x: real\nvar y: real\n"
    "minimize e: softplus(x + y) + softplus(-x + y) - 0.5 * y",
}


def value_of(bound: Conjunction, points: np.ndarray) -> np.ndarray:
    """Return what a bound says, without its unknown constant; inf where it says infinity."""
    total = sum((c * points[:, j] for j, c in bound.linear.items()), np.zeros(len(points)))
    for square in bound.squares:
        # The least of factor * (r + e)^2 over e in its interval.
        r = dot(square.row, points)
        ends = [square.factor * (r + e) ** 2 for e in (square.low, square.high)]
        total = total + np.minimum(*ends)
    for atom in bound.atoms:
        total = total + grown(atom, points)
    for choice in bound.choices:
        total = total + np.min([value_of(part, points) for part in choice.alternatives], axis=0)
    return total


def dot(row: Row, points: np.ndarray) -> np.ndarray:
    return sum((c * points[:, j] for j, c in row.items()), np.zeros(len(points)))


def grown(atom: Atom, points: np.ndarray) -> np.ndarray:
    gauge = np.maximum(0.0, np.max([dot(row, points) for row in atom.rows], axis=0))
    return atom.growth.factor * rate_of(atom.growth, gauge)


def rate_of(growth: Growth, gauge: np.ndarray) -> np.ndarray:
    match growth.rate:
        case Rate.LOG:
            return np.log1p(gauge)
        case Rate.POWER:
            return gauge**growth.power
        case Rate.EXP:
            return np.exp(np.minimum(gauge, 30.0))
        case _:
            return np.zeros_like(gauge)


@pytest.mark.parametrize("text", ENERGIES.values(), ids=list(ENERGIES))
def test_the_energy_less_its_bound_does_not_fall(text):
    rng = np.random.default_rng(1)
    forms = forms_of(text)
    bound = Bounding(forms).energy(total_of(forms))
    model = ebmlang.loads(text)
    assert not bound.faults

    gaps = []
    for radius in RADII:
        points = rng.normal(size=(POINTS, len(forms.coordinates)))
        # Where two coordinates go together, or one stands still, bounds are tight.
        points[::4, 0] = points[::4, 1]
        points[1::4, 0] = 0.001 * points[1::4, 0]
        points[2::4, 1] = -points[2::4, 0]
        points *= radius / np.max(np.abs(points), axis=1, keepdims=True)
        energy = model.energy(as_point(forms, points)).numpy()
        said = value_of(bound, points)
        gaps.append(np.min((energy - said) + LOSS * np.abs(said)))

    # Where a bound is none, the gap grows like the radius at the least: a hundred times.
    assert gaps[1] >= 10 * min(gaps[0], 0.0) - 10


def as_point(forms, points):
    found = {}
    for info in forms.elements.facts.graph.variables:
        first = forms.first[info.path]
        size = int(np.prod(info.shape))
        found[info.path] = points[:, first : first + size].reshape(len(points), *info.shape)
    return found


def test_what_is_only_safe_as_a_whole_is_kept_as_a_whole():
    forms = forms_of("var x: real[2]\nlet r = norm(x)\nminimize e: r^-12 - r^-6 + r^2")

    bound = Bounding(forms).energy(total_of(forms))

    assert bound.rises
    assert bound.squares


def test_a_factor_that_is_missing_is_to_blame():
    forms = forms_of("given k: real\nvar x: real\nminimize e: k * x")

    (fault,) = Bounding(forms).energy(total_of(forms)).faults

    assert fault.why == "it depends on the data `k`"


def test_an_alternative_that_nothing_can_take_is_none():
    forms = forms_of("var x: real\nprefer a: exists i in 0..3 where i > 2: x == i within 1")

    bound = Bounding(forms).energy(total_of(forms))

    assert not bound.choices
