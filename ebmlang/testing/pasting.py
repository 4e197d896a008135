"""A point that was found, as a statement of the language that can be pasted."""

import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.check.claims import Property
from ebmlang.source import Report, SourceText
from ebmlang.syntax import format_file, parse_file

LARGEST_WHOLE = 10**15
"""Real numbers below this that are whole are written without a point."""

MOST_SHOWN = 20
"""Most numbers of one value that people are shown."""


def find_name(claim: Property, taken: Collection[str]) -> str:
    """Return a name for an example that violates a property, other than those that are taken."""
    stem = f"{claim.name}_fails"
    numbered = (f"{stem}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain((stem,), numbered) if name not in taken)


def show_example(name: str, claim: Property, point: Mapping[str, NDArray[Any]]) -> str:
    """Return an `example` that says that a property is violated at a point.

    Args:
        name: The name of the example.
        claim: The property.
        point: Values by path.
    """
    settings = "\n".join(f"{path} = {show_array(value)}" for path, value in point.items())
    text = f"example {name} {{ {settings} }} violates {claim.name}"
    report = Report()
    file = parse_file(SourceText("counterexample", text), report)
    assert not report.has_errors, text
    return format_file(file).rstrip("\n")


def is_short(point: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all values of a point are short enough to be shown to people whole."""
    return all(value.size <= MOST_SHOWN for value in point.values())


def sketch_example(name: str, claim: Property, point: Mapping[str, NDArray[Any]]) -> str:
    """Return what an example looks like, of long values only the first numbers.

    Args:
        name: The name of the example.
        claim: The property that is violated.
        point: Values by path.
    """
    settings = "\n".join(f"  {path} = {sketch_array(value)}" for path, value in point.items())
    return f"example {name} {{\n{settings}\n}} violates {claim.name}"


def sketch_array(value: NDArray[Any]) -> str:
    """Return the first numbers of an array, row by row, and dots for the rest.

    >>> sketch_array(np.zeros((50, 3)))[:30], sketch_array(np.arange(100))[-16:]
    ('[[0, 0, 0], [0, 0, 0], [0, 0, ', '17, 18, 19, ...]')
    """
    if value.size <= MOST_SHOWN:
        return show_array(value)
    count = max(1, MOST_SHOWN * len(value) // value.size)
    rows = [sketch_array(np.asarray(row)) for row in value[:count]]
    dots = ["..."] if count < len(value) else []
    return f"[{', '.join([*rows, *dots])}]"


def show_array(value: NDArray[Any]) -> str:
    """Return an array in the language, which has no literal for one without elements.

    >>> show_array(np.array([1.0, 0.5])), show_array(np.zeros((2, 0)))
    ('[1, 0.5]', '[[0 for i in 1..0] for i in 1..2]')
    """
    if value.size:
        return show_value(value.tolist())
    text = show_value(np.zeros((), value.dtype).item())
    for size in reversed(value.shape):
        text = f"[{text} for i in 1..{size}]"
    return text


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
