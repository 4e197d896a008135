"""Sizes that only the data binds, once they are bound: whole numbers that have to make sense.

The checker knows `N - 2` as a polynomial. Here `N` is a number, and `N - 2` may turn out negative.
"""

import math
from collections.abc import Mapping

from ebmlang.lang import Dim, Shape, evaluate_dim
from ebmlang.source import Diagnostic, EbmError, Label, Span

LARGEST = 2**63 - 1
"""Largest whole number that an array holds."""


def bind_number(dim: Dim, sizes: Mapping[str, int], span: Span | None) -> int:
    """Return the number that a dimension is.

    Raises:
        EbmError: It does not fit into 64 bits (E0316).
    """
    number = evaluate_dim(dim, sizes)
    if abs(number) > LARGEST:
        raise _error("E0316", f"the whole number `{dim}` is too large", dim, sizes, span)
    return number


def bind_size(dim: Dim, sizes: Mapping[str, int], span: Span | None) -> int:
    """Return the number of elements that a dimension is.

    Raises:
        EbmError: It is negative (E0311), or does not fit into 64 bits (E0316).
    """
    number = bind_number(dim, sizes, span)
    if number < 0:
        raise _error("E0311", f"the size `{dim}` is negative", dim, sizes, span)
    return number


def bind_shape(shape: Shape, sizes: Mapping[str, int], span: Span | None) -> tuple[int, ...]:
    """Return a shape in numbers.

    Raises:
        EbmError: A size is negative (E0311), or does not fit into 64 bits (E0316).
    """
    return tuple(bind_size(dim, sizes, span) for dim in shape)


def require_count(shape: tuple[int, ...], target: tuple[int, ...], span: Span) -> None:
    """Raise unless an array of one shape has as many elements as one of another.

    Raises:
        EbmError: It has not (E0302).
    """
    if math.prod(shape) != math.prod(target):
        raise EbmError(
            Diagnostic(
                code="E0302",
                headline=f"cannot reshape an array of shape {list(shape)} to {list(target)}",
                primary=Label(
                    span,
                    f"{math.prod(shape)} elements cannot fill {math.prod(target)} places",
                ),
            )
        )


def _error(
    code: str, headline: str, dim: Dim, sizes: Mapping[str, int], span: Span | None
) -> EbmError:
    names = () if isinstance(dim, int) else sorted(dim.names)
    known = " and ".join(f"`{name}` is {sizes[name]}" for name in names)
    label = f"{evaluate_dim(dim, sizes)}, since the data says that {known}" if known else ""
    primary = Label(span, label) if span else None
    return EbmError(Diagnostic(code=code, headline=headline, primary=primary))
