"""Derivatives of operators on single elements: for each operand a formula, as a table.

`f` applies operators, `g` is the cotangent, `y` the value, then come the operands. Where a function
has a corner the slope is the one that torch takes: 0 at the corner of `sqrt`, `abs` and `relu`,
shared evenly where `minimum` and `maximum` tie.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ebmlang.passes.gradient.algebra import Algebra
from ebmlang.passes.gradient.rule import Formula, Rule, by_formula
from ebmlang.passes.simplification.site import LARGEST


def _times(f: Algebra, g: int, number: float) -> int:
    return f("mul", g, f.number(number))


def _plus_one(f: Algebra, x: int) -> int:
    return f("add", x, f.number(1.0))


def _one_minus(f: Algebra, x: int) -> int:
    return f("sub", f.number(1.0), x)


def _root(f: Algebra, g: int, y: int, _x: int) -> int:
    return f.where_zero(y, f("div", _times(f, g, 0.5), y))


def _power_of_base(f: Algebra, g: int, y: int, a: int, b: int) -> int:
    exponent = f.node(b)
    if exponent.operator == "constant":
        known = exponent.option("value").array.astype(np.float64)
        if np.all(known == 0.5):
            return _root(f, g, y, a)
        slope = f("mul", f.array(known), f("pow", a, f.array(known - 1.0)))
        return (
            f("mul", g, slope)
            if np.all(known != 0)
            else f.gate(f.array(known != 0), f("mul", g, slope))
        )
    slope = f("mul", b, f("pow", a, f("sub", b, f.number(1.0))))
    return f.where_zero(f("abs", b), f("mul", g, slope))


def _power_of_exponent(f: Algebra, g: int, y: int, a: int, b: int) -> int:  # noqa: ARG001
    # Where the base is 0 the slope is 0, and the logarithm must not be taken there.
    at_zero = f("less_equal", f("abs", a), f.number(0.0))
    safe = f("where", at_zero, f.number(1.0), a)
    return f.gate(at_zero, f("mul", g, f("mul", y, f("log", safe))), taken=False)


def _extreme(f: Algebra, g: int, lower: int, upper: int, own: int) -> int:
    """Return the share of the operand that is taken where `lower <= upper`: half at a tie.

    At a tie with a number all of it: torch clamps there.
    """
    other = f.node(upper if own == lower else lower)
    taken = f("less_equal", lower, upper)
    if other.operator == "constant" and math.prod(other.shape) == 1:
        return f.gate(taken, g)
    half = f("where", f("less_equal", upper, lower), f.number(0.5), f.number(1.0))
    return f.gate(taken, f("mul", g, half))


def _angle(f: Algebra, g: int, y: int, x: int, slope: int) -> int:
    length = f("add", f("square", x), f("square", y))
    return f.where_zero(length, f("div", f("mul", g, slope), length))


def _ratio(f: Algebra, g: int, y: int, x: int) -> int:
    # The ratio is x / 2 near 0, and its slope 1/2 there.
    at_zero = f("less_equal", f("abs", x), f.number(0.0))
    safe = f("where", at_zero, f.number(1.0), x)
    share = f("where", at_zero, f.number(0.5), f("div", y, safe))
    return f("mul", g, f("sub", _one_minus(f, share), f("square", y)))


def _weight(f: Algebra, g: int, a: int, b: int) -> int:
    """Return the slope of log(exp(a) + exp(b)) by a; 0 where both are -inf."""
    return f("mul", g, f("sigmoid", f("sub", a, f("maximum", b, f.number(-LARGEST)))))


_FORMULAS: dict[str, tuple[Formula | None, ...]] = {
    # Arithmetic
    "add": (lambda f, g, y, a, b: g, lambda f, g, y, a, b: g),
    "sub": (lambda f, g, y, a, b: g, lambda f, g, y, a, b: f("neg", g)),
    "mul": (lambda f, g, y, a, b: f("mul", g, b), lambda f, g, y, a, b: f("mul", g, a)),
    "div": (
        lambda f, g, y, a, b: f("div", g, b),
        lambda f, g, y, a, b: f("neg", f("div", f("mul", g, y), b)),
    ),
    "mod": (
        lambda f, g, y, a, b: g,
        lambda f, g, y, a, b: f("neg", f("mul", g, f("floor", f("div", a, b)))),
    ),
    "pow": (_power_of_base, _power_of_exponent),
    "neg": (lambda f, g, y, a: f("neg", g),),
    "minimum": (
        lambda f, g, y, a, b: _extreme(f, g, a, b, a),
        lambda f, g, y, a, b: _extreme(f, g, b, a, b),
    ),
    "maximum": (
        lambda f, g, y, a, b: _extreme(f, g, b, a, a),
        lambda f, g, y, a, b: _extreme(f, g, a, b, b),
    ),
    # Functions of one number
    "abs": (lambda f, g, y, x: f("mul", g, f("sign", x)),),
    "sqrt": (_root,),
    "square": (lambda f, g, y, x: f("mul", _times(f, g, 2.0), x),),
    "exp": (lambda f, g, y, x: f("mul", g, y),),
    "log": (lambda f, g, y, x: f("div", g, x),),
    "log1p": (lambda f, g, y, x: f("div", g, _plus_one(f, x)),),
    "expm1": (lambda f, g, y, x: f("mul", g, _plus_one(f, y)),),
    "sin": (lambda f, g, y, x: f("mul", g, f("cos", x)),),
    "cos": (lambda f, g, y, x: f("neg", f("mul", g, f("sin", x))),),
    "tan": (lambda f, g, y, x: f("mul", g, _plus_one(f, f("square", y))),),
    "asin": (lambda f, g, y, x: f("mul", g, _slope_of_asin(f, x)),),
    "acos": (lambda f, g, y, x: f("neg", f("mul", g, _slope_of_asin(f, x))),),
    "atan": (lambda f, g, y, x: f("div", g, _plus_one(f, f("square", x))),),
    "atan2": (
        lambda f, g, angle, y, x: _angle(f, g, y, x, x),
        lambda f, g, angle, y, x: f("neg", _angle(f, g, y, x, y)),
    ),
    "sinh": (lambda f, g, y, x: f("mul", g, f("cosh", x)),),
    "cosh": (lambda f, g, y, x: f("mul", g, f("sinh", x)),),
    "tanh": (lambda f, g, y, x: f("mul", g, _one_minus(f, f("square", y))),),
    "sigmoid": (lambda f, g, y, x: f("mul", g, f("mul", y, _one_minus(f, y))),),
    "softplus": (lambda f, g, y, x: f("mul", g, f("sigmoid", x)),),
    "relu": (lambda f, g, y, x: f.where_zero(y, g),),
    "erf": (
        lambda f, g, y, x: f(
            "mul", _times(f, g, 2 / math.sqrt(math.pi)), f("exp", f("neg", f("square", x)))
        ),
    ),
    "lgamma": (lambda f, g, y, x: f("mul", g, f("digamma", x)),),
    "digamma": (lambda f, g, y, x: f("mul", g, f("trigamma", x)),),
    "floor": (None,),
    "sign": (None,),
    # Behind other forms
    "to_real": (lambda f, g, y, x: g,),
    "log1mexp": (lambda f, g, y, x: f("div", g, f("expm1", x)),),
    "logaddexp": (
        lambda f, g, y, a, b: _weight(f, g, a, b),
        lambda f, g, y, a, b: _weight(f, g, b, a),
    ),
    "log_bessel_i0": (lambda f, g, y, x: f("mul", g, f("bessel_ratio", x)),),
    "bessel_ratio": (_ratio,),
    "supported": (
        None,
        None,
        None,
        lambda f, g, y, x, lower, upper, energy: f.gate(f.inside(x, lower, upper), g),
    ),
    "where": (
        None,
        lambda f, g, y, condition, yes, no: f.gate(condition, g),
        lambda f, g, y, condition, yes, no: f.gate(condition, g, taken=False),
    ),
}


def _slope_of_asin(f: Algebra, x: int) -> int:
    return f("pow", _one_minus(f, f("square", x)), f.number(-0.5))


ELEMENTWISE: Mapping[str, tuple[Rule | None, ...]] = MappingProxyType(
    {
        name: tuple(None if formula is None else by_formula(formula) for formula in formulas)
        for name, formulas in _FORMULAS.items()
    }
)
"""By operator, a rule for each operand; None where the slope is 0."""
