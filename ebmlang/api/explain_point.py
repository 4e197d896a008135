"""Points and runs taken apart: which part of which term answers for how much of the energy."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.analysis.composition import DISJUNCTIVE, Joint, TermPiece
from ebmlang.api.compile import lay_out
from ebmlang.api.composed import ComposedModel, compose_model
from ebmlang.api.data_files import make_array
from ebmlang.api.domains import find_outside
from ebmlang.api.evaluate import make_batch
from ebmlang.api.inputs import Point
from ebmlang.api.model import Model
from ebmlang.api.points import read_point
from ebmlang.api.run_files import Run, RunLike, take_run
from ebmlang.lower.decomposition import Reading, Values
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.pieces import gradient_norm, read_terms, trace_pieces
from ebmlang.runs import Design, Designs, Samples
from ebmlang.runs.convergence import CONSTANT, LEAST_DRAWS
from ebmlang.runs.explanation import Estimate, Explanation, Share
from ebmlang.source import Diagnostic, EbmError

Array = NDArray[np.float64]

MOST_ELEMENTS = 3
"""Elements of a quantifier that are shown, those that matter most."""

PointLike: TypeAlias = "Point | Design | str | os.PathLike[str]"
"""One point, as it was returned or written."""

MANY = "there is more than one point to explain"

CHUNK = 1024
"""Points that are computed at a time."""

GRADIENT_POINTS = 256
"""Points of a run, evenly spaced, whose gradients are computed: each part needs its own pass."""


def explain_at(model: Model, point: PointLike, *, elements: int = MOST_ELEMENTS) -> Explanation:
    """Return one point taken apart, term by term.

    Args:
        model: The model, bound to its data.
        point: A value for every variable, a design, or the name of a file with one.
        elements: How many elements of each quantifier to keep.

    Raises:
        EbmError: E0710 where it is no single point of the model, or not finite; E0801-E0803 for a
            file.
    """
    if isinstance(point, (Samples, Designs)):
        raise _refuse(MANY, "a whole run is explained by `take_run_apart`")
    composed = compose_model(model)
    batch, single = make_batch(composed.module, _values(point))
    if not single:
        _refuse_shapes(composed.module, batch)
    x = composed.module.pack(batch)
    if not single:
        raise _refuse(MANY)
    _require_finite(composed.module, x, "the point")
    return _explain(composed, x, "point", (1, 1), elements)


def _values(point: PointLike) -> Point:
    if isinstance(point, Design):
        return dict(point.variables)
    if isinstance(point, (str, os.PathLike)):
        return {
            path: make_array(value, path, "the point") for path, value in read_point(point).items()
        }
    return point


def _refuse_shapes(module: CompiledEnergy, batch: Mapping[str, Tensor]) -> None:
    """Raise for values that are neither of the shape of their variable nor many of it."""
    shapes = {variable.path: variable.shape for variable in module.graph.variables}
    problems = [
        f"`{path}` of the point has shape {list(value.shape)}, and should have {list(shapes[path])}"
        for path, value in batch.items()
        if path in shapes
        and tuple(value.shape) != shapes[path]
        and (tuple(value.shape[1:]) != shapes[path] or len(value) == 1)
    ]
    if problems:
        raise EbmError(*(Diagnostic(code="E0710", headline=problem) for problem in problems))


def _require_finite(module: CompiledEnergy, x: Tensor, name: str) -> None:
    problems = [
        f"`{path}` of {name} is {'not a number' if value.isnan().any() else 'infinite'}"
        for path, value in module.unpack(x).items()
        if not value.isfinite().all()
    ]
    if problems:
        raise EbmError(*(Diagnostic(code="E0710", headline=problem) for problem in problems))


def _refuse(headline: str, *helps: str) -> EbmError:
    return EbmError(Diagnostic(code="E0710", headline=headline, helps=helps))


def explain_run(model: Model, run: RunLike, *, elements: int = MOST_ELEMENTS) -> Explanation:
    """Return the points of a run taken apart: means over all of them.

    Args:
        model: The model, bound to its data.
        run: What `sample` or `solve` returned, the name of a file that they wrote, or what
            `read_run` returns.
        elements: How many elements of each quantifier to keep.
    """
    composed = compose_model(model)
    run, x, shape = pack_run(composed.module, run)
    found = _explain(composed, x, run.kind, shape, elements)
    return replace(found, stale=is_stale(composed.module, run, x))


STALE = 1e-6
"""How far a stored energy may be off, relative to the magnitudes of its terms."""

STALE_SINGLE = 1e-4
"""The same of an energy that was computed, or stored, in float32."""


def is_stale(module: CompiledEnergy, run: Run, x: Tensor) -> bool | None:
    """Whether a run holds other energies than its points have now; None where it holds none."""
    if run.energies is None or run.energies.size != len(x):
        return None
    stored = np.asarray(run.energies, dtype=np.float64).ravel()
    with torch.no_grad():
        energy = module.packed().energy(x).expand(len(x)).numpy()
        terms = module.terms(module.unpack(x)).energies
        size = sum((value.abs().numpy() for value in terms.values()), np.zeros(len(x)))
    known = np.isfinite(stored)
    if not known.any():
        return None
    # The files do not say what they were computed in, but numbers of float32 all look like it.
    with np.errstate(over="ignore"):
        single = bool((stored.astype(np.float32)[known] == stored[known]).all())
    close = np.abs(stored - energy) <= (STALE_SINGLE if single else STALE) * (1 + size)
    return bool((known & ~close).any())


def pack_run(module: CompiledEnergy, run: RunLike) -> tuple[Run, Tensor, tuple[int, int]]:
    """Return a run, its points as rows, and how many chains and draws there are.

    Raises:
        EbmError: E0710 where it holds no points of this spec, or one that is not finite;
            E0801-E0803 for a file.
    """
    shapes = {variable.path: variable.shape for variable in module.graph.variables}
    run = take_run(run, shapes)
    shape: tuple[int, int] = (1, 1)
    flat: dict[str, Tensor] = {}
    for path, values in run.values.items():
        shape = (values.shape[0], values.shape[1])
        flat[path] = torch.tensor(
            values.reshape(shape[0] * shape[1], *values.shape[2:]), dtype=torch.float64
        )
    x = module.pack(flat)
    _require_finite(module, x, "the run")
    return run, x, shape


def read_values(composed: ComposedModel, x: Tensor) -> Values:
    """Return all pieces of all terms at packed points."""
    roots = [root for term in composed.composition.terms for root in term.piece.roots()]
    trace = trace_pieces(composed.module, roots)
    with torch.no_grad():
        found = [trace(part).values() for part in torch.split(x, CHUNK)]
    return Values(
        energies=_joined([one.energies for one in found]),
        margins=_joined([one.margins for one in found]),
    )


def _joined(parts: list[Mapping[str, Array]]) -> dict[str, Array]:
    return {path: np.concatenate([part[path] for part in parts]) for path in parts[0]}


def _explain(
    composed: ComposedModel, x: Tensor, kind: str, shape: tuple[int, int], elements: int
) -> Explanation:
    module = composed.module
    readings = read_terms(module, composed.composition, read_values(composed, x))
    picked = [
        _Picked.whole(term, readings[term.path], elements) for term in composed.composition.terms
    ]
    gradients = _gradients(module, x, picked)
    estimate = _Estimator(kind, shape)
    with torch.no_grad():
        points = module.unpack(x)
        holds = (module.packed().requirements(x) >= 0).all(1).double().mean()
        energy = module.packed().energy(x).expand(len(x))
        single = kind == "point"
        reports = module.reports(points) if single else {}
    return Explanation(
        kind=kind,
        points=len(x),
        energy=estimate(energy.numpy()),
        feasible=float(holds),
        terms=tuple(_share(one, estimate, gradients, None) for one in picked),
        outside=find_outside(lay_out(module), x.numpy()),
        variables={path: v[0].numpy() for path, v in points.items()} if single else {},
        reports={path: v[0].numpy() for path, v in reports.items()},
    )


# --- which parts are shown -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Picked:
    """One part to be shown: a reading, at one place of the quantifiers around it.

    Attributes:
        name, kind: Of the share.
        place: Where it stands in the text.
        reading: The piece, with values at all places.
        at: The place.
        elements: How many elements it has.
        parts: What is shown of it.
    """

    name: str
    kind: str
    place: str
    reading: Reading
    at: tuple[int, ...]
    elements: int | None
    parts: "tuple[_Picked, ...]"

    @classmethod
    def whole(cls, term: TermPiece, reading: Reading, most: int) -> "_Picked":
        """Return a term, and the parts of it that are shown."""
        return cls.make(term.path, term.term.role.value, str(term.term.span), reading, (), most)

    @classmethod
    def make(
        cls,
        name: str,
        kind: str,
        place: str,
        reading: Reading,
        at: tuple[int, ...],
        most: int,
    ) -> "_Picked":
        """Return a part, and the parts of it that are shown."""
        axes = reading.piece.axes
        if axes is None:
            parts = [
                cls.make(part.piece.text, "part", str(part.piece.span), part, at, most)
                for part in reading.parts
            ]
        else:
            (part,) = reading.parts
            parts = [
                cls.make(
                    f"{axes.name(place)} {part.piece.text}",
                    "element",
                    str(part.piece.span),
                    part,
                    (*at, *place),
                    most,
                )
                for place in _worst(reading, part, at)[:most]
            ]
        return cls(
            name=name,
            kind=kind,
            place=place,
            reading=reading,
            at=at,
            elements=None if axes is None else int(_count(part, at)),
            parts=tuple(parts),
        )

    def take(self, array: Array) -> Array:
        """Return an array's values at this place, one for each point."""
        return np.asarray(array[_at(self.at)])

    def rest(self) -> Array:
        """Return what the elements that are not shown add to the energy, one for each point."""
        if self.reading.piece.axes is None:
            return np.zeros(len(self.reading.energy))
        (part,) = self.reading.parts
        blame = part.counts * 1.0
        if self.reading.piece.joint is not Joint.SUM:
            blame = part.responsibility
        hidden = blame > 0
        for shown in self.parts:
            hidden[_at(shown.at)] = False
        blamed = np.where(hidden, blame * (part.energy + part.offset), 0.0)
        return np.asarray(blamed[_at(self.at)].reshape(len(blamed), -1).sum(axis=1))

    def walk(self) -> Iterator["_Picked"]:
        """Yield this and all parts below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def _at(place: tuple[int, ...]) -> Any:
    """Return the index of a place at all points. Any: NumPy's and torch's types lack such ones."""
    return (slice(None), *place)


def _count(part: Reading, at: tuple[int, ...]) -> int:
    return int(part.counts[_at(at)][0].sum())


def _worst(reading: Reading, part: Reading, at: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the places of the elements, those first that answer for most."""
    inside = _at(at)
    blame = part.responsibility[inside].mean(axis=0)
    counts = part.counts[inside].any(axis=0)
    margin = np.zeros_like(blame)
    if part.margin is not None:
        margin = part.margin[inside].mean(axis=0)
        if reading.piece.joint in DISJUNCTIVE:
            margin = -margin
    # Rounded, so that elements that answer for the same are told apart by their margins.
    order = np.lexsort((margin.ravel(), -np.round(blame.ravel(), 12)))
    places = [tuple(int(i) for i in np.unravel_index(flat, blame.shape)) for flat in order]
    return [place for place in places if counts[_at(place)[1:]]]


# --- numbers -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Estimator:
    """Turns one number per point into what is said of all."""

    kind: str
    shape: tuple[int, int]

    def __call__(self, values: Array) -> Estimate:
        values = np.asarray(values, dtype=np.float64)
        if self.kind == "point":
            return Estimate(mean=float(values[0]))
        mean, sd = float(values.mean()), float(values.std())
        return Estimate(mean=mean, sd=sd, mcse=self._error(values, mean))

    def _error(self, values: Array, mean: float) -> float | None:
        chains, draws = self.shape
        if self.kind != "draws" or draws < LEAST_DRAWS or values.size != chains * draws:
            return None
        if not np.isfinite(values).all() or np.ptp(values) <= CONSTANT * max(1.0, abs(mean)):
            return None
        from arviz_stats.base.array import array_stats

        # ArviZ gives its functions no types.
        mcse: Callable[..., Any] = array_stats.mcse
        table = values.reshape(chains, draws)
        return float(mcse(table, chain_axis=0, draw_axis=1, method="mean"))


def _share(
    picked: _Picked,
    estimate: _Estimator,
    gradients: Mapping[int, Array],
    above: Array | None,
) -> Share:
    """Return what is said of a part; `above` is the share of E of what it is a part of."""
    reading, take = picked.reading, picked.take
    margin = None if reading.margin is None else take(reading.margin)
    responsibility = take(reading.responsibility)
    share = responsibility if above is None else above * responsibility
    gradient = gradients[id(picked)]
    return Share(
        name=picked.name,
        kind=picked.kind,
        joint=reading.piece.joint.value,
        place=picked.place,
        energy=estimate(take(reading.energy)),
        margin=None if margin is None else estimate(margin),
        satisfied=None if margin is None else float((margin >= 0).mean()),
        gradient=estimate(gradient),
        responsibility=estimate(responsibility),
        share=float(share.mean()),
        offset=estimate(take(reading.offset)),
        entropy=estimate(take(reading.entropy)),
        rest=estimate(picked.rest()),
        elements=picked.elements,
        parts=tuple(_share(part, estimate, gradients, share) for part in picked.parts),
    )


def _gradients(module: CompiledEnergy, x: Tensor, picked: list[_Picked]) -> dict[int, Array]:
    """Return for every part shown the length of its energy's gradient, at some of the points."""
    rows = np.linspace(0, len(x) - 1, min(len(x), GRADIENT_POINTS)).round().astype(np.int64)
    shown = [one for top in picked for one in top.walk()]
    leaf = x[torch.as_tensor(rows)].detach().requires_grad_()
    with torch.enable_grad():
        found = trace_pieces(module, (one.reading.piece.root for one in shown))(leaf)
        lengths = {}
        for one in shown:
            values = found.energies[one.reading.piece.root][_at(one.at)]
            norm = gradient_norm(values, leaf) * abs(one.reading.factor)
            lengths[id(one)] = norm.detach().numpy()
    return lengths
