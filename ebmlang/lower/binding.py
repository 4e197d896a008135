"""Data and weights as the user gives them, checked against what the graph declares.

All checks of one binding report together. Nothing here imports torch.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ebmlang.graph import EnergyGraph, GivenInfo, Kind, Node
from ebmlang.source import Diagnostic, EbmError, Label, Report

_DTYPES = {Kind.REAL: np.float64, Kind.INT: np.int64, Kind.BOOL: np.bool_}
_WORDS = {Kind.REAL: "real", Kind.INT: "int", Kind.BOOL: "bool"}
_ACCEPTED = {Kind.REAL: "iuf", Kind.INT: "iuf", Kind.BOOL: "biuf"}
"""Kinds of NumPy arrays that can be read as each kind, as far as their values allow."""


def check_data(
    graph: EnergyGraph, data: Mapping[str, ArrayLike]
) -> tuple[NDArray[np.generic], ...]:
    """Return the value of every given that is not by row, in order: from the data, or its default.

    Raises:
        EbmError: Data is missing (E0701), has another shape (E0702), is not finite (E0703), is
            of another kind (E0803), or is about nothing that the spec declares (E0705).
    """
    report = Report()
    wanted = [given for given in graph.givens if not given.by_row]
    known = [given.path for given in wanted]
    for path in data:
        if path not in known:
            report.add(_unknown_data(path, known))
    values = [_given(report, given, data) for given in wanted]
    report.raise_if_errors()
    return tuple(value for value in values if value is not None)


def _given(
    report: Report, given: GivenInfo, data: Mapping[str, ArrayLike]
) -> NDArray[np.generic] | None:
    if given.path not in data:
        if given.default is None:
            report.add(_missing(given))
            return None
        return np.broadcast_to(given.default.array, given.shape).astype(_DTYPES[given.kind])
    try:
        found = np.asarray(data[given.path])
    except ValueError:  # nested lists of different lengths
        report.add(_ragged(given))
        return None
    problem = _wrong_shape(given, found) or _wrong_kind(given, found) or _wrong_number(given, found)
    if problem is not None:
        report.add(problem)
        return None
    return found.astype(_DTYPES[given.kind])


def check_weights(graph: EnergyGraph, weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return the weight of every path that can have one: as given, or as written in the file.

    Raises:
        EbmError: A path has no weight (E0901), or a weight is not a positive number (E0903).
    """
    leaves = {
        node.option("path"): node.option("value")
        for node in graph.nodes
        if node.operator == "weight"
    }
    written = {**leaves, **graph.weights}
    report = Report()
    for path, weight in weights.items():
        if path not in written:
            report.add(_unknown_weight(path, written))
        elif not (weight > 0 and math.isfinite(weight)):
            report.add(
                Diagnostic(
                    code="E0903",
                    headline=f"the weight of `{path}` is {weight:g}, and must be a positive number",
                    helps=(f"the file says `{path}={written[path]:g}`",),
                )
            )
    report.raise_if_errors()
    return {**written, **weights}


def require_inside(node: Node, size: int, index: NDArray[np.generic]) -> None:
    """Raise unless an index that depends on data is inside its axis.

    Raises:
        EbmError: It is not (E0704).
    """
    outside = index[(index < 0) | (index >= size)]  # type: ignore[operator]
    if not outside.size:
        return
    valid = f"valid are 0 to {size - 1}" if size else "there are none"
    span = node.origin.span
    raise EbmError(
        Diagnostic(
            code="E0704",
            headline=f"the data gives index {outside.reshape(-1)[0]} for an axis of size {size}",
            primary=Label(span, valid) if span else None,
            notes=("indices count from 0",),
        )
    )


def require_positive(node: Node, tolerance: NDArray[np.generic]) -> None:
    """Raise unless a tolerance that depends on data is positive.

    Raises:
        EbmError: It is not (E0704).
    """
    wrong = tolerance[~(tolerance > 0)]  # type: ignore[operator]
    if not wrong.size:
        return
    span = node.origin.span
    raise EbmError(
        Diagnostic(
            code="E0704",
            headline=f"the data gives {wrong.reshape(-1)[0]:g} for a tolerance",
            primary=Label(span, "a tolerance is positive") if span else None,
        )
    )


# --- messages ------------------------------------------------------------------------


def suggest(name: str, known: Iterable[str], form: str = "`{}`") -> tuple[str, ...]:
    """Return a help line with the closest known name, if one is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return (f"did you mean {form.format(close[0])}?",) if close else ()


def _unknown_data(path: str, known: list[str]) -> Diagnostic:
    listed = ", ".join(f"`{name}`" for name in known)
    return Diagnostic(
        code="E0705",
        headline=f"the data has `{path}`, and the spec has no such `given`",
        notes=(f"it has {listed}",) if known else ("it has none",),
        helps=suggest(path, known),
    )


def _unknown_weight(path: str, known: Mapping[str, float]) -> Diagnostic:
    listed = ", ".join(f"`{name}`" for name in known)
    return Diagnostic(
        code="E0901",
        headline=f"no term or part with a weight is called `{path}`",
        notes=(f"there are {listed}",) if known else ("there are none",),
        helps=suggest(path, known),
    )


def _missing(given: GivenInfo) -> Diagnostic:
    return Diagnostic(
        code="E0701",
        headline=f"there is no data for `{given.path}`",
        primary=_declared(given),
        helps=(f"give `{given.path}` in a data file, or with `--set {given.path}=...`",),
    )


def _wrong_shape(given: GivenInfo, found: NDArray[Any]) -> Diagnostic | None:
    if found.shape == given.shape:
        return None
    return Diagnostic(
        code="E0702",
        headline=f"the data for `{given.path}` is {_shape(found.shape)}, and should be "
        f"{_shape(given.shape)}",
        primary=_declared(given),
        helps=help_with_rows(found.ndim, len(given.shape)),
    )


def help_with_rows(found: int, wanted: int) -> tuple[str, ...]:
    """Return a help line where data has one axis more than it should: that of many problems."""
    if found != wanted + 1:
        return ()
    return ("if each row is a problem of its own, use `solve_each`, or `ebm solve` with a file",)


def _shape(shape: tuple[int, ...]) -> str:
    return f"of shape {list(shape)}" if shape else "a single number"


def _ragged(given: GivenInfo) -> Diagnostic:
    return Diagnostic(
        code="E0702",
        headline=f"the data for `{given.path}` has rows of different lengths, and should be "
        f"{_shape(given.shape)}",
        primary=_declared(given),
    )


def _wrong_kind(given: GivenInfo, found: NDArray[Any]) -> Diagnostic | None:
    fits = found.dtype.kind in _ACCEPTED[given.kind] or found.size == 0
    if fits and found.size and found.dtype.kind == "f" and given.kind is not Kind.REAL:
        fits = bool(np.all(~np.isfinite(found) | (found == np.floor(found))))
    if fits and given.kind is Kind.BOOL and found.dtype.kind != "b":
        fits = bool(np.all((found == 0) | (found == 1)))
    if fits:
        return None
    return Diagnostic(
        code="E0803",
        headline=f"the data for `{given.path}` cannot be read as `{_WORDS[given.kind]}`",
        primary=_declared(given),
    )


def _wrong_number(given: GivenInfo, found: NDArray[Any]) -> Diagnostic | None:
    if found.dtype.kind != "f" or bool(np.all(np.isfinite(found))):
        return None
    place = np.argwhere(~np.isfinite(found))[0]
    value = found[tuple(place)]
    where = f"`{given.path}[{', '.join(map(str, place))}]`" if place.size else f"`{given.path}`"
    return Diagnostic(
        code="E0703",
        headline=f"the data for {where} is {value:g}, which is not a finite number",
        primary=_declared(given),
    )


def _declared(given: GivenInfo) -> Label | None:
    return Label(given.span, "declared here") if given.span else None
