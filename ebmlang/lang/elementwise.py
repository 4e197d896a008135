"""Operators on single elements: arithmetic and the functions of one or two numbers."""

import math
from collections.abc import Callable

import numpy as np

from ebmlang.lang import profiles
from ebmlang.lang.array_enclosures import bound_logaddexp
from ebmlang.lang.enclosures import (
    bound_add,
    bound_atan2,
    bound_div,
    bound_mod,
    bound_mul,
    bound_pow,
    bound_sub,
    bound_supported,
    bound_where,
)
from ebmlang.lang.facts import Curvature, Envelope, Facts, Rules, SignOf, Slope, Smoothness
from ebmlang.lang.operator import Array, Family, Operator, Result, as_float

_ANY = (-3.0, 3.0)
_POSITIVE = (0.1, 3.0)
_UNIT = (-0.9, 0.9)


def _power(base: Array, exponent: Array) -> Array:
    whole = np.issubdtype(base.dtype, np.integer) and np.issubdtype(exponent.dtype, np.integer)
    if whole and np.all(exponent >= 0):
        # Sized up first: 10^10^10 has more digits than there is memory for.
        bits = as_float(exponent) * np.log2(np.maximum(np.abs(as_float(base)), 1.0))
        if np.all(bits < 62):
            exact = np.vectorize(lambda b, e: int(b) ** int(e), otypes=[object])(base, exponent)
            return np.asarray(exact, dtype=np.int64)
    return np.power(as_float(base), as_float(exponent))


def log1mexp(x: Array) -> Array:
    """Return log(1 - exp(-x)) for x >= 0; Maechler (2012), with the switch at log 2."""
    x = as_float(x)
    small = x < math.log(2.0)
    safe_small = np.where(small, x, 1.0)
    safe_large = np.where(small, 1.0, x)
    return np.where(small, np.log(-np.expm1(-safe_small)), np.log1p(-np.exp(-safe_large)))


def _sigmoid(x: Array) -> Array:
    x = as_float(x)
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, decay) / (1.0 + decay)


def _log_bessel_i0(x: Array) -> Array:
    """Return log I0(x), by its series near zero and the asymptotic form far out (NumPy's i0)."""
    x = np.abs(as_float(x))
    near = np.log(np.i0(np.minimum(x, 500.0)))
    safe = np.maximum(x, 1.0)
    tail = 1 / (8 * safe) * (1 + 9 / (16 * safe) * (1 + 25 / (24 * safe) * (1 + 49 / (32 * safe))))
    far = safe - 0.5 * np.log(2 * math.pi * safe) + np.log1p(tail)
    return np.where(x < 500.0, near, far)


def _log_gamma(x: float) -> float:
    """Return log(abs(gamma(x))); at its poles, and past the largest float, inf."""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


def _supported(x: Array, lower: Array, upper: Array, energy: Array) -> Array:
    return np.where((x >= lower) & (x <= upper), energy, np.inf)


def _element(
    name: str,
    evaluate: Callable[..., Array],
    doc: str,
    facts: Facts,
    *regions: tuple[float, float],
    parameters: tuple[str, ...] = ("x",),
    result: Result = Result.REAL,
    callable_by_name: bool = True,
    commutative: bool = False,
    source: str = "",
) -> Operator:
    return Operator(
        name=name,
        parameters=parameters,
        family=Family.ELEMENTWISE,
        evaluate=evaluate,
        doc=doc,
        facts=facts,
        result=result,
        callable_by_name=callable_by_name,
        commutative=commutative,
        region=regions or (_ANY,) * len(parameters),
        source=source,
    )


def _real(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda x: function(as_float(x))


_TWO = ("a", "b")

_SUM = Rules(
    slopes=(Slope.RISING, Slope.RISING),
    curvature=Curvature.AFFINE,
    linear=((0, 1),),
    bounds=bound_add,
)
_DIFFERENCE = Rules(
    slopes=(Slope.RISING, Slope.FALLING),
    curvature=Curvature.AFFINE,
    linear=((0, 1),),
    bounds=bound_sub,
)
_PRODUCT = Rules(slopes=(SignOf(1), SignOf(0)), linear=((0,), (1,)), bounds=bound_mul)
_QUOTIENT = Rules(
    slopes=(SignOf(1), SignOf(0, -1)),
    linear=((0,),),
    bounds=bound_div,
    poles=(1,),
    sections=(None, profiles.reciprocal_profile),
)
_REMAINDER = Rules(
    slopes=(Slope.MIXED, Slope.MIXED),
    bounds=bound_mod,
    smoothness=Smoothness.JUMPS,
    poles=(1,),
)
_POWER = Rules(
    slopes=(Slope.MIXED, Slope.MIXED),
    bounds=bound_pow,
    sections=(profiles.power_profile, profiles.exponential_profile),
)
_OPPOSITE = Rules(slopes=(Slope.FALLING,), curvature=Curvature.AFFINE, linear=((0,),))
_SAME = Rules(slopes=(Slope.RISING,), curvature=Curvature.AFFINE, linear=((0,),))
_COUNT = Rules(slopes=(Slope.RISING,), smoothness=Smoothness.JUMPS)
_SMALLER = Rules(
    slopes=(Slope.RISING, Slope.RISING),
    curvature=Curvature.CONCAVE,
    envelope=Envelope.MIN,
    smoothness=Smoothness.TIES,
)
_LARGER = Rules(
    slopes=(Slope.RISING, Slope.RISING),
    curvature=Curvature.CONVEX,
    envelope=Envelope.MAX,
    smoothness=Smoothness.TIES,
)
_ANGLE = Rules(slopes=(Slope.MIXED, Slope.MIXED), bounds=bound_atan2, smoothness=Smoothness.JUMPS)
_SOFT_MAXIMUM = Rules(
    slopes=(Slope.RISING, Slope.RISING),
    curvature=Curvature.CONVEX,
    bounds=bound_logaddexp,
    envelope=Envelope.MAX,
)
_SUPPORT = Rules(
    slopes=(Slope.MIXED, Slope.RISING, Slope.FALLING, Slope.RISING),
    curvature=Curvature.CONVEX,
    bounds=bound_supported,
    smoothness=Smoothness.JUMPS,
    chooses=True,
)
_CHOICE = Rules(
    slopes=(Slope.MIXED, Slope.RISING, Slope.RISING),
    linear=((1, 2),),
    bounds=bound_where,
    smoothness=Smoothness.JUMPS,
    chooses=True,
)

ELEMENTWISE = (
    # Arithmetic
    _element("add", np.add, "a + b", _SUM, parameters=_TWO, result=Result.SAME,
             callable_by_name=False, commutative=True),
    _element("sub", np.subtract, "a - b", _DIFFERENCE, parameters=_TWO, result=Result.SAME,
             callable_by_name=False),
    _element("mul", np.multiply, "a * b", _PRODUCT, parameters=_TWO, result=Result.SAME,
             callable_by_name=False, commutative=True),
    _element("div", lambda a, b: as_float(a) / as_float(b), "a / b, always real", _QUOTIENT,
             _ANY, _POSITIVE, parameters=_TWO, callable_by_name=False),
    _element("mod", np.mod, "a % b, with the sign of b", _REMAINDER, _ANY, (0.5, 3.0),
             parameters=_TWO,
             result=Result.SAME, callable_by_name=False),
    _element("pow", _power, "a ^ b", _POWER, _POSITIVE, _ANY, parameters=_TWO, result=Result.SAME,
             callable_by_name=False),
    _element("neg", np.negative, "-a", _OPPOSITE, parameters=("a",), result=Result.SAME,
             callable_by_name=False),
    _element("minimum", np.minimum, "the smaller of two", _SMALLER, parameters=_TWO,
             result=Result.SAME,
             callable_by_name=False, commutative=True),
    _element("maximum", np.maximum, "the larger of two", _LARGER, parameters=_TWO,
             result=Result.SAME,
             callable_by_name=False, commutative=True),
    # Functions of one number
    _element("abs", np.abs, "absolute value", profiles.ABS, result=Result.SAME),
    _element("sqrt", _real(np.sqrt), "square root", profiles.SQRT, _POSITIVE),
    _element("square", np.square, "x * x", profiles.SQUARE, result=Result.SAME,
             callable_by_name=False),
    _element("exp", _real(np.exp), "e to the power of x", profiles.EXP),
    _element("log", _real(np.log), "natural logarithm", profiles.LOG, _POSITIVE),
    _element("log1p", _real(np.log1p), "log(1 + x), exact near 0", profiles.LOG1P, (-0.9, 3.0)),
    _element("expm1", _real(np.expm1), "exp(x) - 1, exact near 0", profiles.EXPM1),
    _element("sin", _real(np.sin), "sine [rad]", profiles.SIN),
    _element("cos", _real(np.cos), "cosine [rad]", profiles.COS),
    _element("tan", _real(np.tan), "tangent [rad]", profiles.TAN, (-1.4, 1.4)),
    _element("asin", _real(np.arcsin), "inverse sine [rad]", profiles.ASIN, _UNIT),
    _element("acos", _real(np.arccos), "inverse cosine [rad]", profiles.ACOS, _UNIT),
    _element("atan", _real(np.arctan), "inverse tangent [rad]", profiles.ATAN),
    _element("atan2", lambda y, x: np.arctan2(as_float(y), as_float(x)),
             "angle of the point (x, y) [rad]", _ANGLE, _ANY, _POSITIVE, parameters=("y", "x")),
    _element("sinh", _real(np.sinh), "hyperbolic sine", profiles.SINH),
    _element("cosh", _real(np.cosh), "hyperbolic cosine", profiles.COSH),
    _element("tanh", _real(np.tanh), "hyperbolic tangent", profiles.TANH),
    _element("sigmoid", _sigmoid, "1 / (1 + exp(-x))", profiles.SIGMOID),
    _element("softplus", lambda x: np.logaddexp(0.0, as_float(x)), "log(1 + exp(x))",
             profiles.SOFTPLUS),
    _element("relu", lambda x: np.maximum(x, 0), "max(x, 0)", profiles.RELU, result=Result.SAME),
    _element("erf", np.vectorize(math.erf, otypes=[np.float64]), "error function", profiles.ERF),
    _element("lgamma", np.vectorize(_log_gamma, otypes=[np.float64]),
             "log of the gamma function", profiles.LGAMMA, _POSITIVE),
    _element("floor", _real(np.floor), "the largest whole number not above x", profiles.FLOOR,
             (0.1, 0.9)),
    # Behind other forms
    _element("to_real", as_float, "the same number as a real", _SAME, callable_by_name=False),
    _element("to_int", lambda x: np.asarray(x, dtype=np.int64), "a truth value as 0 or 1", _COUNT,
             callable_by_name=False, result=Result.INT),
    _element("nonnegative", lambda x: np.greater_equal(x, 0), "whether x >= 0",
             profiles.NONNEGATIVE, (0.1, 3.0),
             callable_by_name=False, result=Result.BOOL),
    _element("log1mexp", log1mexp, "log(1 - exp(-x)) for x >= 0", profiles.LOG1MEXP, _POSITIVE,
             callable_by_name=False, source="Maechler, Accurately computing log(1 - exp(-|a|))"),
    _element("logaddexp", lambda a, b: np.logaddexp(as_float(a), as_float(b)),
             "log(exp(a) + exp(b))", _SOFT_MAXIMUM, parameters=_TWO, callable_by_name=False,
             commutative=True),
    _element("log_bessel_i0", _log_bessel_i0, "log of the modified Bessel function I0",
             profiles.LOG_BESSEL_I0, _POSITIVE,
             callable_by_name=False, source="Abramowitz and Stegun, 9.7.1"),
    _element("supported", _supported, "`energy` where lower <= x <= upper, else inf", _SUPPORT,
             (-1.0, 1.0), (-3.0, -2.0), (2.0, 3.0), _ANY,
             parameters=("x", "lower", "upper", "energy"), callable_by_name=False),
    _element("where", np.where, "`yes` where the condition holds, else `no`", _CHOICE,
             (0.0, 1.0), _ANY, _ANY, parameters=("condition", "yes", "no"), result=Result.LIKE,
             callable_by_name=False),
)  # fmt: skip
