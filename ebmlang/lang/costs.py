"""What one evaluation of an operator costs, as data: arithmetic, functions, calls of torch.

Counted per element, for one chain. A *function* is one evaluation of an exponential, a logarithm
or a sine; dearer ones count as several. Forward is the value; reverse is what the derivative adds
for each operand that has one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Per(Enum):
    """What the numbers of a cost are multiplied by."""

    RESULT = "elements that come out"
    OPERAND = "elements of the first operand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an operator costs per element.

    Attributes:
        arithmetic, functions: Of the value.
        reverse_arithmetic, reverse_functions: Of the derivative, for each operand that has one.
        calls: Calls of torch for the value.
        reverse_calls: And for the derivative, for each operand that has one.
        per: What is meant by an element.
        is_view: Whether no element moves.
    """

    arithmetic: float = 1
    functions: float = 0
    reverse_arithmetic: float = 1
    reverse_functions: float = 0
    calls: int = 1
    reverse_calls: int = 1
    per: Per = Per.RESULT
    is_view: bool = False


Product = Callable[[Mapping[str, int]], float]
"""Floating point operations of a core operator, from the sizes of the axes that it names."""


def _function(evaluations: float = 1, *, arithmetic: float = 0, reverse: float = 2) -> Cost:
    return Cost(arithmetic=arithmetic, functions=evaluations, reverse_arithmetic=reverse)


_LOGICAL = Cost(arithmetic=1, reverse_arithmetic=0, reverse_calls=0)
_CHOICE = Cost(arithmetic=1, reverse_arithmetic=1, reverse_calls=2)
_VIEW = Cost(arithmetic=0, reverse_arithmetic=0, is_view=True)
_COPY = Cost(arithmetic=0, reverse_arithmetic=0)

COSTS: Mapping[str, Cost] = MappingProxyType(
    {
        "add": Cost(reverse_arithmetic=0, reverse_calls=0),
        "sub": Cost(reverse_arithmetic=1),
        "mul": Cost(),
        "div": Cost(reverse_arithmetic=2, reverse_calls=2),
        "mod": Cost(arithmetic=4, reverse_arithmetic=2),
        # exp(b log a); the derivative needs another power.
        "pow": Cost(
            arithmetic=1, functions=2, reverse_arithmetic=2, reverse_functions=2, reverse_calls=3
        ),
        "neg": Cost(),
        "minimum": _CHOICE,
        "maximum": _CHOICE,
        "abs": Cost(reverse_arithmetic=2, reverse_calls=2),
        "sqrt": Cost(arithmetic=2, reverse_arithmetic=2, calls=4, reverse_calls=3),
        "square": Cost(reverse_arithmetic=2, reverse_calls=2),
        "exp": _function(reverse=1),
        "log": _function(reverse=1),
        "log1p": _function(),
        "expm1": _function(),
        "sin": Cost(arithmetic=0, functions=1, reverse_arithmetic=1, reverse_functions=1),
        "cos": Cost(arithmetic=0, functions=1, reverse_arithmetic=2, reverse_functions=1),
        "tan": _function(2),
        "asin": _function(2, reverse=4),
        "acos": _function(2, reverse=4),
        "atan": _function(2, reverse=3),
        "atan2": _function(2, arithmetic=1, reverse=4),
        "sinh": Cost(arithmetic=0, functions=2, reverse_arithmetic=1, reverse_functions=2),
        "cosh": Cost(arithmetic=0, functions=2, reverse_arithmetic=1, reverse_functions=2),
        "tanh": _function(reverse=3),
        "sigmoid": _function(arithmetic=2, reverse=3),
        "softplus": Cost(arithmetic=2, functions=2, reverse_arithmetic=3, reverse_functions=1),
        "relu": Cost(),
        "erf": Cost(arithmetic=0, functions=2, reverse_arithmetic=3, reverse_functions=1),
        "lgamma": Cost(arithmetic=10, functions=4, reverse_arithmetic=10, reverse_functions=4),
        "floor": _LOGICAL,
        "to_real": _LOGICAL,
        "to_int": _LOGICAL,
        "nonnegative": _LOGICAL,
        "log1mexp": Cost(
            arithmetic=4, functions=4, reverse_arithmetic=2, reverse_functions=1, calls=11
        ),
        "logaddexp": Cost(
            arithmetic=4, functions=2, reverse_arithmetic=2, reverse_functions=1, calls=6
        ),
        "log_bessel_i0": Cost(
            arithmetic=20, functions=2, reverse_arithmetic=20, reverse_functions=2, calls=3
        ),
        "supported": Cost(arithmetic=3, calls=5),
        "where": Cost(arithmetic=1, reverse_arithmetic=1),
        "sum": Cost(per=Per.OPERAND, reverse_arithmetic=0),
        "prod": Cost(per=Per.OPERAND, reverse_arithmetic=2, reverse_calls=2),
        "min": Cost(per=Per.OPERAND, reverse_arithmetic=2, reverse_calls=3),
        "max": Cost(per=Per.OPERAND, reverse_arithmetic=2, reverse_calls=3),
        "mean": Cost(per=Per.OPERAND, reverse_calls=2),
        "norm": Cost(per=Per.OPERAND, arithmetic=2, reverse_arithmetic=2, reverse_calls=3),
        # The largest is taken off before.
        "logsumexp": Cost(
            per=Per.OPERAND,
            arithmetic=5,
            functions=1,
            reverse_arithmetic=3,
            reverse_functions=1,
            calls=1,
            reverse_calls=4,
        ),
        # Log failures take two functions, each of the two forms another.
        "noisy_or": Cost(
            per=Per.OPERAND,
            arithmetic=8,
            functions=4,
            reverse_arithmetic=12,
            reverse_functions=4,
            calls=14,
            reverse_calls=18,
        ),
        "reshape": _VIEW,
        "expand": _VIEW,
        "moveaxis": _VIEW,
        "slice": _VIEW,
        "stack": _COPY,
        "concat": _COPY,
        "take": _COPY,
        "gather": Cost(arithmetic=0, reverse_arithmetic=1, calls=2, reverse_calls=2),
        # What derivatives are written with.
        "sign": _LOGICAL,
        "less_equal": _LOGICAL,
        "digamma": Cost(arithmetic=10, functions=2, reverse_arithmetic=1),
        "trigamma": Cost(arithmetic=10, functions=2),
        "bessel_ratio": Cost(arithmetic=40, functions=2, calls=3),
        "scatter": Cost(per=Per.OPERAND, reverse_arithmetic=0, calls=2),
    }
)
"""Of elementwise, reducing and structural operators, by name."""

PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        "dot": lambda n: 2 * n["n"],
        "cross": lambda _: 9,
        "matmul": lambda n: 2 * n["m"] * n["n"] * n["p"],
        "matvec": lambda n: 2 * n["m"] * n["n"],
        "vecmat": lambda n: 2 * n["n"] * n["p"],
        "transpose": lambda _: 0,
        "trace": lambda n: n["n"],
        "det": lambda n: 2 * n["n"] ** 3 / 3,
        "logdet": lambda n: 2 * n["n"] ** 3 / 3,
        "inv": lambda n: 2 * n["n"] ** 3,
        "solve": lambda n: 2 * n["n"] ** 3 / 3 + 2 * n["n"] ** 2,
        "solve_matrix": lambda n: 2 * n["n"] ** 3 / 3 + 2 * n["n"] ** 2 * n["k"],
        "cholesky": lambda n: n["n"] ** 3 / 3,
        "cumsum": lambda n: n["n"],
        "sort": lambda n: n["n"] * math.log2(max(2, n["n"])),
        "sort_by": lambda n: n["n"] * math.log2(max(2, n["n"])),
        "others": lambda n: 3 * n["n"],
    }
)
"""Of core operators, by name. The derivative by one operand costs as much as the value.

Source: Golub and Van Loan, Matrix Computations, sections 3.2 and 4.2, for factorizations.
"""
