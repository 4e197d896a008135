"""A point that was found, as a statement of the language that can be pasted."""

import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from ebmlang.check.claims import Property
from ebmlang.source import Report, SourceText
from ebmlang.syntax import format_file, parse_file

LARGEST_WHOLE = 10**15
"""Real numbers below this that are whole are written without a point."""


def show_example(claim: Property, point: Mapping[str, NDArray[Any]], taken: Collection[str]) -> str:
    """Return an `example` that says that a property is violated at a point.

    Args:
        claim: The property.
        point: Values by path.
        taken: Names that the file has given to other claims.
    """
    stem = f"{claim.name}_fails"
    numbered = (f"{stem}_{number}" for number in itertools.count(2))
    name = next(name for name in itertools.chain((stem,), numbered) if name not in taken)
    settings = "\n".join(f"{path} = {show_value(value.tolist())}" for path, value in point.items())
    text = f"example {name} {{ {settings} }} violates {claim.name}"
    report = Report()
    file = parse_file(SourceText("counterexample", text), report)
    assert not report.has_errors, text
    return format_file(file).rstrip("\n")


def show_value(value: object) -> str:
    """Return a number, a truth value or nested lists of them in the language.

    >>> show_value([[1.0, -0.5], [1e-9, 0.0]])
    '[[1, -0.5], [1e-09, 0]]'
    """
    match value:
        case list():
            return f"[{', '.join(map(show_value, value))}]"
        case bool():
            return str(value).lower()
        case float() if value == int(value) and abs(value) < LARGEST_WHOLE:
            # A negative zero keeps its sign: it may be what the failure needs.
            negative_zero = value == 0 and math.copysign(1, value) < 0
            return "-0.0" if negative_zero else str(int(value))
        case _:
            return repr(value)
