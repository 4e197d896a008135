"""Random convex problems, each as a spec and as CVXPY has it."""

from collections.abc import Callable
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

SIZE, ROWS, CUTS = 6, 9, 4


@dataclass(frozen=True)
class Numbers:
    """What a problem is made of, random."""

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]
    g: NDArray[np.float64]
    h: NDArray[np.float64]

    def constants(self) -> str:
        named = {"A": self.a, "b": self.b, "c": self.c, "G": self.g, "h": self.h}
        return "".join(f"const {name} = {value.tolist()!r}\n" for name, value in named.items())


def draw_numbers(seed: int) -> Numbers:
    rng = np.random.default_rng(seed)
    return Numbers(
        a=rng.normal(size=(ROWS, SIZE)).round(3),
        b=rng.normal(size=ROWS).round(3),
        c=rng.normal(size=SIZE).round(3),
        g=rng.normal(size=(CUTS, SIZE)).round(3),
        h=rng.uniform(0.1, 1, CUTS).round(3),
    )


@dataclass(frozen=True)
class Family:
    """One kind of problem.

    Attributes:
        domain: Of `x`.
        statements: The rest of the spec.
        objective: The same energy in CVXPY's words.
        limits: The same requirements and bounds.
    """

    domain: str
    statements: str
    objective: Callable[[Numbers, cp.Variable], cp.Expression]
    limits: Callable[[Numbers, cp.Variable], list[cp.Constraint]] = lambda _n, _x: []

    def write(self, n: Numbers) -> str:
        return f"{n.constants()}var x: {self.domain}\n{self.statements}\n"

    def solve(self, n: Numbers) -> float:
        """Return the optimum by CVXPY."""
        x = cp.Variable(SIZE)
        problem = cp.Problem(cp.Minimize(self.objective(n, x)), self.limits(n, x))
        return float(problem.solve(solver=cp.CLARABEL))


def _box(_n: Numbers, x: cp.Variable) -> list[cp.Constraint]:
    return [x <= 1, x >= -1]


FREE, BOX = f"real[{SIZE}]", f"real[{SIZE}] in [-1, 1]"

_SQUARES = "minimize e: norm(A @ x - b)^2 / 2 + sum(c * x)"


def _squares(n: Numbers, x: cp.Variable) -> cp.Expression:
    return cp.sum_squares(n.a @ x - n.b) / 2 + n.c @ x


FAMILIES = {
    "a quadratic in a box": Family(BOX, _SQUARES, _squares, _box),
    "a quadratic under linear requirements": Family(
        FREE,
        f"{_SQUARES}\nrequire r: G @ x <= h - 0.3",
        _squares,
        lambda n, x: [n.g @ x <= n.h - 0.3],
    ),
    "a linear program": Family(
        BOX,
        "minimize e: sum(c * x)\nrequire r: G @ x <= h",
        lambda n, x: n.c @ x,
        lambda n, x: [*_box(n, x), n.g @ x <= n.h],
    ),
    "least squares with hinges": Family(
        FREE,
        "minimize e: norm(x - c)^2 / 2\nprefer p: G @ x <= h - 1 within 0.3",
        lambda n, x: (
            cp.sum_squares(x - n.c) / 2 + cp.sum_squares(cp.pos((n.g @ x - n.h + 1) / 0.3)) / 2
        ),
    ),
    "a quadratic in a ball": Family(
        FREE,
        "minimize e: sum(c * x) + norm(A @ x - b)^2 / 20\nrequire r: norm(x) <= 0.7",
        lambda n, x: n.c @ x + cp.sum_squares(n.a @ x - n.b) / 20,
        lambda _n, x: [cp.norm(x) <= 0.7],
    ),
    "a sum of norms": Family(
        FREE,
        "minimize e: norm(A @ x - b) + norm(x - c) / 2",
        lambda n, x: cp.norm(n.a @ x - n.b) + cp.norm(x - n.c) / 2,
    ),
    "a lasso": Family(
        FREE,
        "minimize e: norm(A @ x - b)^2 / 2 + 2 * sum(abs(x))",
        lambda n, x: cp.sum_squares(n.a @ x - n.b) / 2 + 2 * cp.norm1(x),
    ),
    "a support vector machine": Family(
        FREE,
        "minimize e: norm(x)^2 / 2 + sum(relu(1 - b * (A @ x)))",
        lambda n, x: cp.sum_squares(x) / 2 + cp.sum(cp.pos(1 - cp.multiply(n.b, n.a @ x))),
    ),
    "the least of a maximum": Family(
        BOX, "minimize e: max(A @ x - b)", lambda n, x: cp.max(n.a @ x - n.b), _box
    ),
    "a quadratic on a simplex": Family(
        f"simplex[{SIZE}]",
        _SQUARES,
        _squares,
        lambda _n, x: [x >= 0, cp.sum(x) == 1],
    ),
}
"""By what they are called."""
