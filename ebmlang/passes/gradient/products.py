"""Derivatives of operators on vectors and matrices.

Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic
differentiation (2008); for the Cholesky factor Murray, Differentiation of the Cholesky
decomposition (2016), equation 9.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ebmlang.passes.gradient.algebra import Algebra
from ebmlang.passes.gradient.rule import Rule, Step, by_formula


def _outer(f: Algebra, a: int, b: int) -> int:
    """Return a[i] b[j] for each pair of vectors."""
    return _multiply(f, f.insert(a, -1), f.insert(b, -2))


def _multiply(f: Algebra, a: int, b: int) -> int:
    """Return a * b for arrays whose ranks may differ."""
    rank = max(len(f.shape(a)), len(f.shape(b)))
    return f("mul", f.lift(a, rank), f.lift(b, rank))


def _dot(f: Algebra, g: int, step: Step, place: int) -> int:
    return _multiply(f, f.insert(g, -1), step.x[1 - place])


def _trace(f: Algebra, g: int, step: Step, _: int) -> int:
    size = f.shape(step.x[0])[-1]
    diagonal = f.array(np.eye(size))
    return _multiply(f, f.insert(g, -2, -1), diagonal)


def _determinant(f: Algebra, g: int, step: Step, _: int) -> int:
    """Return g times the cofactors, which are numbers for a singular matrix too."""
    (x,) = step.x
    size = f.shape(x)[-1]
    if size == 1:
        return f.insert(g, -2, -1)
    whole = f.insert(g, -2, -1)
    if size == 2:
        flipped = f.apply("take", x, f.array(np.array([1, 0])), axis=-1)
        flipped = f.apply("take", flipped, f.array(np.array([1, 0])), axis=-2)
        signs = f.array(np.array([[1.0, -1.0], [-1.0, 1.0]]))
        return f("mul", whole, _multiply(f, f.transpose(flipped), signs))
    if size == 3:
        rows = [f.apply("take", x, f.array(np.asarray(i)), axis=-2) for i in range(3)]
        pairs = ((1, 2), (2, 0), (0, 1))
        cofactors = [f("cross", rows[i], rows[j]) for i, j in pairs]
        return f("mul", whole, f.apply("stack", *cofactors, axis=-2))
    return f("mul", f("mul", whole, f.insert(step.y, -2, -1)), f.transpose(f("inv", x)))


def _inverse(f: Algebra, g: int, y: int, _x: int) -> int:
    turned = f.transpose(y)
    return f("neg", f("matmul", turned, f("matmul", g, turned)))


def _solved(f: Algebra, g: int, step: Step, place: int) -> int:
    a, _ = step.x
    right = f("solve", f.transpose(a), g)
    return right if place == 1 else f("neg", _outer(f, right, step.y))


def _solved_matrix(f: Algebra, g: int, step: Step, place: int) -> int:
    a, _ = step.x
    right = f("solve_matrix", f.transpose(a), g)
    return right if place == 1 else f("neg", f("matmul", right, f.transpose(step.y)))


def _cholesky(f: Algebra, g: int, y: int, x: int) -> int:
    """L^-T Phi(L^T G) L^-1, made symmetric; Phi takes the lower half and half the diagonal."""
    size = f.shape(x)[-1]
    half = f.array(np.tril(np.ones((size, size))) - 0.5 * np.eye(size))
    turned = f.transpose(y)
    middle = _multiply(f, f("matmul", turned, g), half)
    left = f("solve_matrix", turned, middle)
    both = f.transpose(f("solve_matrix", turned, f.transpose(left)))
    total = f("add", both, f.transpose(both))
    return f("mul", total, f.array(np.full((1,) * len(f.shape(total)), 0.5)))


def _running_sum(f: Algebra, g: int, _y: int, x: int) -> int:
    turn = f.array(np.arange(f.shape(x)[-1])[::-1])
    return f.apply("take", f("cumsum", f.apply("take", g, turn, axis=-1)), turn, axis=-1)


def _others(f: Algebra, g: int, _y: int, x: int) -> int:
    """By x_j, the i-th product is that of all but x_i and x_j: the others of a row with 1 at i."""
    size = f.shape(x)[-1]
    rank = len(f.shape(x)) + 1
    diagonal = f.array(np.eye(size, dtype=bool).reshape((1,) * (rank - 2) + (size, size)))
    one, nothing = (f.array(np.full((1,) * rank, value)) for value in (1.0, 0.0))
    without = f("where", diagonal, one, f.insert(x, -2))
    gains = f("mul", f.insert(g, -1), f("others", without))
    return f.apply("sum", f("where", diagonal, nothing, gains), axes=(-2,))


PRODUCTS: Mapping[str, tuple[Rule | None, ...]] = MappingProxyType(
    {
        "dot": (_dot, _dot),
        "cross": (
            by_formula(lambda f, g, y, a, b: f("cross", b, g)),
            by_formula(lambda f, g, y, a, b: f("cross", g, a)),
        ),
        "matmul": (
            by_formula(lambda f, g, y, a, b: f("matmul", g, f.transpose(b))),
            by_formula(lambda f, g, y, a, b: f("matmul", f.transpose(a), g)),
        ),
        "matvec": (
            by_formula(lambda f, g, y, a, b: _outer(f, g, b)),
            by_formula(lambda f, g, y, a, b: f("vecmat", g, a)),
        ),
        "vecmat": (
            by_formula(lambda f, g, y, a, b: f("matvec", b, g)),
            by_formula(lambda f, g, y, a, b: _outer(f, a, g)),
        ),
        "transpose": (by_formula(lambda f, g, y, x: f.transpose(g)),),
        "trace": (_trace,),
        "det": (_determinant,),
        "logdet": (
            by_formula(lambda f, g, y, x: f("mul", f.insert(g, -2, -1), f.transpose(f("inv", x)))),
        ),
        "inv": (by_formula(_inverse),),
        "solve": (_solved, _solved),
        "solve_matrix": (_solved_matrix, _solved_matrix),
        "cholesky": (by_formula(_cholesky),),
        "cumsum": (by_formula(_running_sum),),
        "others": (by_formula(_others),),
    }
)
"""By operator, a rule for each operand. The cotangent is in full."""
