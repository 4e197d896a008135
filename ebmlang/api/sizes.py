"""The sizes that only data can bind: `given y: real[N]` makes N the length of `y`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ebmlang.api.data_files import Array
from ebmlang.check.program import Body, Given, Part, Program
from ebmlang.lang import Size
from ebmlang.lower.binding import help_with_rows, suggest
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
            # What is longer than a name, as `N + 1`, is held against the data once all is bound.
            if isinstance(dim, Size) and str(dim) in dim.names and isinstance(length, int):
                self._by_length(str(dim), length, path, given)

    def _by_length(self, name: str, length: int, path: str, given: Given) -> None:
        first = self.found.setdefault(name, _Found(length, path, given.span))
        if first.number != length:
            self.report.add(_disagree(name, length, path, given, first))


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
        helps=help_with_rows(rank, given.type.rank),
    )


def _axes(count: int) -> str:
    return {0: "no axes", 1: "one axis"}.get(count, f"{count} axes")


def _disagree(name: str, number: int, path: str, given: Given, first: _Found) -> Diagnostic:
    label = Label(given.span, f"makes `{name}` {number}")
    if first.span is None:
        headline = f"the data says that `{name}` is {first.number}, and `{path}` makes it {number}"
        return Diagnostic(code="E0702", headline=headline, primary=label)
    return Diagnostic(
        code="E0702",
        headline=f"`{name}` is {first.number} by `{first.path}`, and {number} by `{path}`",
        primary=label,
        secondary=(Label(first.span, f"makes `{name}` {first.number}"),),
    )
