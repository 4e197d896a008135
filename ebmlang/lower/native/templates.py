"""How each operator that works element by element is written in C, as data.

`{0}`, `{1}` are vectors of one element of each operand, one number for each lane. Functions are
those of `lanes.h`. What depends on shapes or options is a rule in `lowering`.
"""

from collections.abc import Mapping
from types import MappingProxyType

REAL: Mapping[str, str] = MappingProxyType(
    {
        "add": "{0} + {1}",
        "sub": "{0} - {1}",
        "mul": "{0} * {1}",
        "div": "{0} / {1}",
        "mod": "modulo({0}, {1})",
        "pow": "power({0}, {1})",
        "neg": "-{0}",
        "minimum": "smaller({0}, {1})",
        "maximum": "larger({0}, {1})",
        "abs": "magnitude({0})",
        "sqrt": "root({0})",
        "square": "{0} * {0}",
        "exp": "exponential({0})",
        "log": "logarithm({0})",
        "log1p": "log_of_one_plus({0})",
        "expm1": "exp_minus_one({0})",
        "sin": "sine({0})",
        "cos": "cosine({0})",
        "tan": "tangent({0})",
        "asin": "arc_sine({0})",
        "acos": "arc_cosine({0})",
        "atan": "arc_tangent({0})",
        "atan2": "angle({0}, {1})",
        "sinh": "hyperbolic_sine({0})",
        "cosh": "hyperbolic_cosine({0})",
        "tanh": "hyperbolic_tangent({0})",
        "sigmoid": "logistic({0})",
        "softplus": "soft_plus({0})",
        "relu": "at_least_zero({0})",
        "erf": "error_function({0})",
        "lgamma": "log_gamma({0})",
        "floor": "round_down({0})",
        "to_real": "{0}",
        "nonnegative": "({0} >= 0)",
        "log1mexp": "log_one_minus_exp({0})",
        "logaddexp": "log_sum_exp({0}, {1})",
        "log_bessel_i0": "log_bessel_i0({0})",
        "sign": "choose({0} > 0, splat(1), choose({0} < 0, splat(-1), ZERO(vec)))",
        "less_equal": "({0} <= {1})",
        "digamma": "digamma_function({0})",
        "trigamma": "trigamma_function({0})",
        "bessel_ratio": "bessel_ratio({0})",
        "supported": "choose(({0} >= {1}) & ({0} <= {2}), {3}, splat((real)INFINITY))",
        "where": "choose({0}, {1}, {2})",
    }
)
"""On reals; whole operands are turned real first."""

WHOLE: Mapping[str, str] = MappingProxyType(
    {
        "add": "{0} + {1}",
        "sub": "{0} - {1}",
        "mul": "{0} * {1}",
        "mod": "int_modulo({0}, {1})",
        "pow": "int_power({0}, {1})",
        "neg": "-{0}",
        "minimum": "int_smaller({0}, {1})",
        "maximum": "int_larger({0}, {1})",
        "abs": "int_magnitude({0})",
        "square": "{0} * {0}",
        "relu": "int_larger({0}, ZERO(lvec))",
        "to_int": "-wide({0})",
        "nonnegative": "narrow({0} >= 0)",
        "less_equal": "narrow({0} <= {1})",
        "where": "choose_int({0}, {1}, {2})",
    }
)
"""Where all operands, but for the condition of a choice, are whole numbers or truth values."""

TRUTH: Mapping[str, str] = MappingProxyType({"where": "choose_bool({0}, {1}, {2})"})
"""Where the values of a choice are truth values."""

INITIAL: Mapping[str, str] = MappingProxyType(
    {"sum": "0", "prod": "1", "min": "INFINITY", "max": "-INFINITY"}
)
"""What a fold of reals starts with: what keeps its law over nothing."""

JOINED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sum": ("{0} + {1}", "{0} + {1}"),
        "prod": ("{0} * {1}", "{0} * {1}"),
        "min": ("smaller({0}, {1})", "int_smaller({0}, {1})"),
        "max": ("larger({0}, {1})", "int_larger({0}, {1})"),
    }
)
"""How a fold joins what two parts of its elements come to, of reals and of whole numbers."""
