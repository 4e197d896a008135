"""The oracle: a slow float64 interpreter of the typed program.

What everything compiled is tested against. It reads the program at one point, term by term, with
NumPy and SciPy alone, and shares neither the graph nor the passes, kernels, operator records and
standard library of the compiled path. Relations and connectives: `reference_logic`; densities:
`reference_densities`; operators: `reference_operators`; all other expressions:
`reference_expressions`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.check.program import Body, Let, Part, Program, Role, Term
from ebmlang.lang import evaluate_dim
from ebmlang.lower.reference_expressions import (
    Environment,
    Extern,
    World,
    evaluate_expression,
    value_of,
)
from ebmlang.lower.reference_logic import Formula

Array: TypeAlias = NDArray[Any]
"""Any: float64, int64 or bool, as the value is."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

FIRST_STEP = 2.0**-6
"""The widest finite difference, relative to the size of the coordinate or to 1."""

HALVINGS = 6
"""How many times the step is halved for the extrapolation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A program at one point; all mappings are by path.

    Attributes:
        energies: Shares of the soft terms in E, weights included [nats].
        margins: Margins of the terms that are constraints, `require`s included.
        satisfied: Whether each of those holds.
        total: E, the sum of `energies`.
        feasible: Whether every `require` holds.
        reports: Values of the reports.
    """

    energies: Mapping[str, float]
    margins: Mapping[str, float]
    satisfied: Mapping[str, bool]
    total: float
    feasible: bool
    reports: Mapping[str, Array]


def evaluate(
    program: Program,
    *,
    point: Mapping[str, Array],
    data: Mapping[str, Array] = _NOTHING,
    sizes: Mapping[str, int] = _NOTHING,
    weights: Mapping[str, float] = _NOTHING,
    externs: Mapping[str, Extern] = _NOTHING,
) -> Evaluation:
    """Evaluate every term and report at one point, in float64.

    Args:
        program: The typed program.
        point: A value for each variable, by path.
        data: Values of givens by path; those left out take their defaults. Log integrals of what
            is normalized are among them, as `log Z of ...`.
        sizes: Numbers for the size names that only the data binds.
        weights: Weights by path of term or part, in place of those in the file.
        externs: The functions from Python, by name.
    """
    reader = _Reader(
        world=World(sizes=sizes, externs=externs, integrals=data),
        point=point,
        data=data,
        weights=weights,
    )
    with np.errstate(all="ignore"):
        reader.read(program.body, {}, "", 1.0)
    return Evaluation(
        energies=MappingProxyType(reader.energies),
        margins=MappingProxyType(reader.margins),
        satisfied=MappingProxyType({path: r >= 0 for path, r in reader.margins.items()}),
        total=_sum(reader.energies),
        feasible=all(reader.margins[path] >= 0 for path in reader.required),
        reports=MappingProxyType(reader.reports),
    )


def gradient(
    program: Program,
    *,
    point: Mapping[str, Array],
    data: Mapping[str, Array] = _NOTHING,
    sizes: Mapping[str, int] = _NOTHING,
    weights: Mapping[str, float] = _NOTHING,
    externs: Mapping[str, Extern] = _NOTHING,
    first_step: float = FIRST_STEP,
) -> dict[str, Array]:
    """Return the gradient of the total by central differences, extrapolated to step zero.

    Richardson's table over `HALVINGS` halvings of the step; the entry that changed least from its
    neighbours is taken, so that neither the curvature of the function nor rounding decides.
    Right where the total is smooth within `first_step` of the point.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering
    Software 4 (1982).
    """
    fixed = {name: np.asarray(value, dtype=np.float64) for name, value in point.items()}

    def total(path: str, place: tuple[int, ...], coordinate: float) -> float:
        moved = fixed[path].copy()
        moved[place] = coordinate
        return evaluate(
            program,
            point={**fixed, path: moved},
            data=data,
            sizes=sizes,
            weights=weights,
            externs=externs,
        ).total

    result = {}
    for path, value in fixed.items():
        slopes = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            x = float(value[place])
            step = first_step * max(1.0, abs(x))
            rows: list[list[float]] = []
            for k in range(HALVINGS + 1):
                h = step / 2**k
                above, below = total(path, place, x + h), total(path, place, x - h)
                row = [(above - below) / (2 * h)]
                for j in range(1, k + 1):
                    row.append(row[j - 1] + (row[j - 1] - rows[k - 1][j - 1]) / (4**j - 1))
                rows.append(row)
            slopes[place] = _steadiest(rows)
        result[path] = slopes
    return result


def _steadiest(rows: list[list[float]]) -> float:
    best, least = rows[0][0], math.inf
    for k in range(1, len(rows)):
        for j in range(1, k + 1):
            change = max(abs(rows[k][j] - rows[k][j - 1]), abs(rows[k][j] - rows[k - 1][j - 1]))
            if change < least:
                best, least = rows[k][j], change
    return best


def _sum(energies: Mapping[str, float]) -> float:
    # math.fsum raises where inf meets -inf; a plain sum says nan, as the compiled one does.
    values = list(energies.values())
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Walks the bodies of a program and collects what they say, by path."""

    world: World
    point: Mapping[str, Array]
    data: Mapping[str, Array]
    weights: Mapping[str, float]
    energies: dict[str, float] = field(default_factory=dict)
    margins: dict[str, float] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    reports: dict[str, Array] = field(default_factory=dict)

    def read(self, body: Body, env: Environment, prefix: str, weight: float) -> None:
        """Bind what a body declares in `env`, and collect its terms and reports.

        `prefix` is the path of the part, with its dot; `weight` the product of the weights of
        the parts around.
        """
        world = replace(self.world, prefix=prefix)
        for variable in body.variables:
            value = np.asarray(self.point[prefix + variable.symbol.name], dtype=np.float64)
            env[variable.symbol] = value
        for given in body.givens:
            path = prefix + given.symbol.name
            if path in self.data:
                env[given.symbol] = np.asarray(self.data[path])
            else:
                assert given.default is not None, path
                shape = tuple(evaluate_dim(dim, world.sizes) for dim in given.type.shape)
                default = value_of(given.default, env, world)
                env[given.symbol] = np.broadcast_to(default, shape)
        for definition in body.definitions:
            if isinstance(definition, Let):
                env[definition.symbol] = evaluate_expression(definition.value, env, world)
            else:
                self._read_part(definition, env, prefix, weight, world)
        for term in body.terms:
            self._read_term(term, env, prefix + term.name, weight, world)
        for report in body.reports:
            found = evaluate_expression(report.value, env, world)
            if isinstance(found, Formula):
                found = np.asarray(found.holds.margin >= 0)
            assert isinstance(found, np.ndarray)
            self.reports[prefix + report.name] = found

    def _read_part(
        self, part: Part, env: Environment, prefix: str, weight: float, world: World
    ) -> None:
        path = prefix + part.symbol.name
        values = [evaluate_expression(a, env, world) for a in part.arguments]
        inner = env | dict(zip(part.instance.parameters, values, strict=True))
        own = self.weights.get(path, part.weight)
        self.read(part.instance.body, inner, f"{path}.", weight * own)
        env[part.symbol] = inner

    def _read_term(
        self, term: Term, env: Environment, path: str, weight: float, world: World
    ) -> None:
        value = evaluate_expression(term.value, env, world)
        if isinstance(value, Formula):
            self.margins[path] = value.holds.margin
        if term.role is Role.REQUIRE:
            assert isinstance(value, Formula)
            self.required.append(path)
            return
        energy = value.holds.energy if isinstance(value, Formula) else _scalar(value)
        share = weight * self.weights.get(path, term.weight)
        self.energies[path] = -share * energy if term.role is Role.MAXIMIZE else share * energy


def _scalar(value: object) -> float:
    assert isinstance(value, np.ndarray)
    return float(value)
