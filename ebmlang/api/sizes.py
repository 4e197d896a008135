"""The sizes that only data can bind: `given y: real[N]` makes N the length of `y`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ebmlang.api.data_files import Array
from ebmlang.check.program import Body, Given, Part, Program
from ebmlang.lang import Size
from ebmlang.lower.binding import suggest
from ebmlang.source import Diagnostic, Label, Report, Span


@dataclass(frozen=True, slots=True)
class BoundSizes:
    """The number behind each size name, and the data that is left for the givens."""

    sizes: Mapping[str, int]
    data: Mapping[str, Array]


def bind_sizes(program: Program, data: Mapping[str, Array]) -> BoundSizes:
    """Return the number behind every size name of a program.

    A key of the data that is the name of a size, as Stan's data files have them, is checked
    against the shapes, or binds the size itself.

    Raises:
        EbmError: A size is bound by nothing (E0701), or bound twice and differently (E0702);
            with it, what else is missing (E0701) or unknown (E0705).
    """
    named = {key: value for key, value in data.items() if key in program.sizes}
    rest = {key: value for key, value in data.items() if key not in program.sizes}
    if not program.sizes:
        return BoundSizes({}, rest)
    report = Report()
    binding = _Binding(report)
    for name, value in named.items():
        binding.by_name(name, value)
    givens = dict(iterate_givens(program.body))
    _report_names(report, givens, rest)
    # A polynomial in two sizes waits until one of them is known.
    for _ in program.sizes:
        for path, given in givens.items():
            binding.by_shape(path, given, rest)
    for name in program.sizes:
        if name not in binding.found and not report.has_errors:
            report.add(
                Diagnostic(
                    code="E0701",
                    headline=f"no data says how large `{name}` is",
                    helps=(f"give it in a data file, or with `--set {name}=...`",),
                )
            )
    report.raise_if_errors()
    return BoundSizes({name: size.number for name, size in binding.found.items()}, rest)


def iterate_givens(body: Body, prefix: str = "") -> Iterator[tuple[str, Given]]:
    """Yield every given of a body and of its parts, with its path."""
    for given in body.givens:
        yield f"{prefix}{given.symbol.name}", given
    for part in body.definitions:
        if isinstance(part, Part):
            yield from iterate_givens(part.instance.body, f"{prefix}{part.symbol.name}.")


@dataclass(frozen=True, slots=True)
class _Found:
    number: int
    path: str
    span: Span | None


@dataclass(slots=True)
class _Binding:
    """The sizes found so far; lives inside one call."""

    report: Report
    found: dict[str, _Found] = field(default_factory=dict)

    def by_name(self, name: str, value: Array) -> None:
        """Take a size that the data gives by its own name."""
        if value.ndim or value.dtype.kind not in "iuf" or value < 0 or value != np.floor(value):
            self.report.add(
                Diagnostic(
                    code="E0702",
                    headline=f"`{name}` is a size, so its data must be one whole number",
                )
            )
            return
        self.found[name] = _Found(int(value), name, None)

    def by_shape(self, path: str, given: Given, data: Mapping[str, Array]) -> None:
        """Take the sizes in the shape of one given, or hold them against what is known."""
        if path in data:
            shape: tuple[object, ...] = data[path].shape
        elif given.default is not None:
            shape = given.default.type.shape
        else:
            return
        if len(shape) != given.type.rank:
            if path in data:
                self.report.add(_wrong_rank(path, given, len(shape)))
            return
        for dim, length in zip(given.type.shape, shape, strict=True):
            if isinstance(dim, Size) and isinstance(length, int):
                self._by_length(dim, length, path, given)

    def _by_length(self, dim: Size, length: int, path: str, given: Given) -> None:
        unknown = [name for name in dim.names if name not in self.found]
        if len(unknown) > 1:
            return
        name = unknown[0] if unknown else min(dim.names)
        number = _solve(dim, name, length, {n: f.number for n, f in self.found.items()})
        if number is None:
            self.report.add(
                Diagnostic(
                    code="E0702",
                    headline=f"the data for `{path}` is {length} long, and no `{name}` makes "
                    f"`{dim}` that",
                    primary=Label(given.span, "declared here"),
                )
            )
            return
        first = self.found.setdefault(name, _Found(number, path, given.span))
        if first.number != number:
            self.report.add(_disagree(name, number, path, given, first))


def _solve(dim: Size, name: str, length: int, known: Mapping[str, int]) -> int | None:
    """Return the whole number at which a dimension that grows with `name` has this length."""
    constant = slope = 0.0
    for monomial, coefficient in dim.terms:
        value = float(coefficient)
        for factor in monomial:
            value *= 1 if factor == name else known[factor]
        power = monomial.count(name)
        if power > 1:
            return _search(dim, name, length, known)
        constant, slope = (constant + value, slope) if power == 0 else (constant, slope + value)
    if slope == 0:
        return None
    number = (length - constant) / slope
    return int(number) if number >= 0 and number == int(number) else None


def _search(dim: Size, name: str, length: int, known: Mapping[str, int]) -> int | None:
    from ebmlang.lang import evaluate_dim

    # A power of a size is at least the size itself, so no larger one can be meant.
    for number in range(length + 2):
        if evaluate_dim(dim, {**known, name: number}) == length:
            return number
    return None


def _report_names(report: Report, givens: Mapping[str, Given], data: Mapping[str, Array]) -> None:
    for path in data:
        if path not in givens:
            report.add(
                Diagnostic(
                    code="E0705",
                    headline=f"the data has `{path}`, and the spec has no such `given`",
                    helps=suggest(path, givens),
                )
            )
    for path, given in givens.items():
        if path not in data and given.default is None:
            report.add(
                Diagnostic(
                    code="E0701",
                    headline=f"there is no data for `{path}`",
                    primary=Label(given.span, "declared here"),
                    helps=(f"give `{path}` in a data file, or with `--set {path}=...`",),
                )
            )


def _wrong_rank(path: str, given: Given, rank: int) -> Diagnostic:
    return Diagnostic(
        code="E0702",
        headline=f"the data for `{path}` has {_axes(rank)}, and should have "
        f"{_axes(given.type.rank)}",
        primary=Label(given.span, f"`{given.type}`"),
    )


def _axes(count: int) -> str:
    return {0: "no axes", 1: "one axis"}.get(count, f"{count} axes")


def _disagree(name: str, number: int, path: str, given: Given, first: _Found) -> Diagnostic:
    message = Diagnostic(
        code="E0702",
        headline=f"`{name}` is {first.number} by `{first.path}`, and {number} by `{path}`",
        primary=Label(given.span, f"{number} long"),
    )
    if first.span is None:
        return message
    return message.with_secondary(Label(first.span, f"{first.number} long"))
