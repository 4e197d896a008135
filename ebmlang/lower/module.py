"""The energy as a torch module: emitted code, executed once, bound to data and weights."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.lower.binding import (
    check_data,
    check_weights,
    require_inside,
    require_positive,
    suggest,
)
from ebmlang.lower.constants import read_constant
from ebmlang.lower.emit import Program, emit_program
from ebmlang.lower.execution import COMPILATIONS, Extern, Functions, execute, guard_externs
from ebmlang.lower.gradient import Compiled, Question, bind_derivatives
from ebmlang.lower.native.bound import BoundProgram, bind_code
from ebmlang.lower.native.emit import Declined, NativeProgram
from ebmlang.lower.native.energy_text import write_energy
from ebmlang.lower.native.function import NativeCode
from ebmlang.lower.packed import PackedEnergy
from ebmlang.lower.rows import RowEnergy
from ebmlang.lower.tiers import Ahead
from ebmlang.passes.clauses import list_required
from ebmlang.source import Diagnostic, EbmError, InternalError

Bound: TypeAlias = NDArray[np.float64] | None

Data: TypeAlias = Mapping[str, ArrayLike | Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermValues:
    """What each term says of a batch of points, by path.

    Attributes:
        energies: For soft terms, the share of E, weight included [nats].
        margins: For constraints, hard or soft, the margin [tolerances].
        satisfied: For constraints, whether they hold.
    """

    energies: Mapping[str, Float[Tensor, " chain"]]
    margins: Mapping[str, Float[Tensor, " chain"]]
    satisfied: Mapping[str, Bool[Tensor, " chain"]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaves:
    """An energy that can be differentiated by what is bound to it.

    Attributes:
        packed: The energy.
        givens, weights: What it depends on, by path; real ones require a gradient.
        bounds: Of the variables, by path and side, as functions of the same.
    """

    packed: PackedEnergy
    givens: Mapping[str, Tensor]
    weights: Mapping[str, Tensor]
    bounds: Mapping[tuple[str, RootKind], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binding:
    """Data and weights, in full precision, and what was made of them for one device.

    Attributes:
        givens: The data, in the order of the givens that all points share.
        weights: By path.
        dtype: Of points and values.
        device: Where they live.
        prepared: What `prepare` of the torch code gave.
        programs: The C that has been asked for, with the arrays that it reads.
    """

    givens: tuple[NDArray[np.generic], ...]
    weights: Mapping[str, float]
    dtype: torch.dtype
    device: torch.device
    prepared: tuple[Tensor, ...]
    programs: dict[Question, BoundProgram | Declined] = field(default_factory=dict)


def compile_graph(
    graph: EnergyGraph,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    externs: Mapping[str, Extern] | None = None,
) -> "CompiledEnergy":
    """Return the energy of a graph that has been through the passes.

    Args:
        graph: The optimized graph: no node of it is a constraint.
        dtype: float32 or float64.
        device: Where it runs.
        externs: The functions from Python that the graph names.
    """
    program = emit_program(graph)
    functions = {} if externs is None else externs
    missing = [name for name in program.externs if name not in functions]
    if missing:
        raise InternalError(f"the graph needs functions that were not handed over: {missing}")
    COMPILATIONS["graph"] += 1
    chosen = [functions[name] for name in program.externs]
    compiled = CompiledEnergy(graph, program, chosen)
    return compiled.to(device=device, dtype=dtype)


class CompiledEnergy(torch.nn.Module):
    """An energy over batches of points.

    Attributes:
        graph: What it was compiled from.
        program: The emitted code.

    Binding data or weights anew runs `prepare` and compiles nothing. Moving the module, or
    changing its dtype, prepares again from the values as given, in full precision.
    """

    def __init__(self, graph: EnergyGraph, program: Program, externs: list[Extern]) -> None:
        super().__init__()
        self.graph = graph
        self.program = program
        self.externs = externs
        # So that networks among the functions move with the module, and are trained with it.
        self.networks = torch.nn.ModuleList(
            extern for extern in externs if isinstance(extern, torch.nn.Module)
        )
        # Has no elements: it knows where the module is, and its dtype.
        self.register_buffer("anchor", torch.empty(0), persistent=False)
        self._functions = execute(program, guard_externs(graph, program, externs))
        # Functions for the values of some nodes, compiled when first asked for; copies share them.
        self.traces: dict[tuple[int, ...], tuple[Program, Functions]] = {}
        # Likewise for values with their gradients; None where something has no rule.
        self.gradients: dict[Question, Compiled | None] = {}
        # Graphs of values with their gradients, and machine code of them: None where there is none.
        self.derived: dict[Question, EnergyGraph | None] = {}
        self.natives: dict[tuple[Question, torch.dtype, Ahead | None], NativeCode | None] = {}
        # What is known of the work to be done; without it there is no machine code unasked.
        self.ahead: Ahead | None = None
        # The C text that loops go around, with the graph that it was emitted from.
        self.programs: dict[tuple[Question, int], tuple[EnergyGraph, NativeProgram] | Declined] = {}
        # Functions for what no unknown decides and machine code reads, with the graph it is of.
        self.fixed: dict[tuple[int, ...], tuple[EnergyGraph, Program, Functions]] = {}
        self._binding: Binding | None = None

    @property
    def dim(self) -> int:
        """The length of a packed point."""
        return sum(math.prod(variable.shape) for variable in self.graph.variables)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of values."""
        return cast(Tensor, self.anchor).dtype

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return cast(Tensor, self.anchor).device

    # --- data and weights ------------------------------------------------------------

    def bind(self, data: Data | None = None, weights: Mapping[str, float] | None = None) -> None:
        """Take data and weights; what is not named gets its default.

        Raises:
            EbmError: E0701-E0705, E0803 for the data, E0901 and E0903 for weights.
        """
        arrays = {path: _array(value) for path, value in (data or {}).items()}
        givens = check_data(self.graph, arrays)
        checked = check_weights(self.graph, weights or {})
        self._binding = self._prepare(givens, checked)

    def _prepare(
        self, givens: tuple[NDArray[np.generic], ...], weights: Mapping[str, float]
    ) -> Binding:
        inputs = self.inputs(self.program, givens, weights, self.dtype, self.device)
        prepared = self._functions.prepare(*inputs, self.dtype, self.check)
        return Binding(
            givens=givens,
            weights=weights,
            dtype=self.dtype,
            device=self.device,
            prepared=prepared,
        )

    def check(self, place: int, index: Tensor) -> None:
        """Raise unless an index, or a tolerance, that depends on data can be used (E0704)."""
        root, number = self.program.indices[place]
        node, values = self.graph.nodes[number], index.cpu().numpy()
        if root.kind is RootKind.POSITIVE:
            require_positive(node, values)
        else:
            require_inside(node, root.size, values)

    @staticmethod
    def inputs(
        program: Program,
        givens: tuple[NDArray[np.generic], ...],
        weights: Mapping[str, float],
        dtype: torch.dtype,
        device: torch.device,
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return `c`, `g` and `w` of an emitted program."""

        def tensor(value: NDArray[np.generic]) -> Tensor:
            real = value.dtype.kind == "f"
            return torch.tensor(value, dtype=dtype if real else None, device=device)

        return (
            tuple(read_constant(constant, dtype, device) for constant in program.constants),
            tuple(tensor(value) for value in givens),
            tuple(tensor(np.asarray(weights[path], dtype=np.float64)) for path in program.weights),
        )

    @property
    def binding(self) -> Binding:
        """Data and weights as bound, prepared for where the module is now."""
        if self._binding is None:
            self.bind()
            assert self._binding is not None
        if (self._binding.dtype, self._binding.device) != (self.dtype, self.device):
            self._binding = self._prepare(self._binding.givens, self._binding.weights)
        return self._binding

    def bounds(self) -> dict[str, tuple[Bound, Bound]]:
        """Return the bounds of every variable, in float64; None where it has none."""
        binding, cpu = self.binding, torch.device("cpu")
        inputs = self.inputs(self.program, binding.givens, binding.weights, torch.float64, cpu)
        values = dict(
            zip(self.program.bounds, self._functions.bounds(*inputs, torch.float64), strict=True)
        )
        sides: dict[str, dict[RootKind, NDArray[np.float64]]] = {}
        for root, value in values.items():
            sides.setdefault(root.path, {})[root.kind] = value.numpy().astype(np.float64)
        found = {variable.path: sides.get(variable.path, {}) for variable in self.graph.variables}
        return {
            path: (side.get(RootKind.LOWER), side.get(RootKind.UPPER))
            for path, side in found.items()
        }

    # --- points ----------------------------------------------------------------------

    def packed(self) -> PackedEnergy:
        """Return the energy over packed points, bound to the data and weights of now."""
        return PackedEnergy(
            dim=self.dim,
            dtype=self.dtype,
            device=self.device,
            prepared=self.binding.prepared,
            total=self._functions.total,
            required=self._functions.requirements,
            derive=bind_derivatives(self),
            write=lambda blocks: write_energy(self, blocks),
            code=bind_code(self),
        )

    def packed_terms(self) -> tuple[tuple[str, ...], Callable[[Tensor], Tensor]]:
        """Return the paths of the soft terms, and their energies `[chain, term]` at packed points.

        Bound to the data and weights of now; weights are in the energies, which add up to E.
        """
        prepared = self.binding.prepared
        paths = tuple(root.path for root, _ in self.graph.roots_of(RootKind.ENERGY))
        return paths, lambda x: self._functions.terms(x, prepared)[0]

    def required_paths(self) -> tuple[str, ...]:
        """Return the path that each margin of the packed energy's requirements belongs to."""
        return tuple(
            root.path
            for root, number in list_required(self.graph)
            for _ in range(math.prod(self.graph.nodes[number].shape))
        )

    def differentiable(self) -> Leaves:
        """Return the energy with the data and weights of now as leaves of its derivatives."""
        binding, program = self.binding, self.program
        constants, givens, weights = self.inputs(
            program, binding.givens, binding.weights, self.dtype, self.device
        )
        real = [given for given in (*givens, *weights) if given.is_floating_point()]
        for leaf in real:
            leaf.requires_grad_()
        with torch.enable_grad():
            inputs = (constants, givens, weights)
            prepared = self._functions.prepare(*inputs, self.dtype, self.check)
            bounds = self._functions.bounds(*inputs, self.dtype)
        return Leaves(
            packed=replace(self.packed(), prepared=prepared),
            givens=dict(zip(program.givens, givens, strict=True)),
            weights=dict(zip(program.weights, weights, strict=True)),
            bounds={
                (root.path, root.kind): bound
                for root, bound in zip(program.bounds, bounds, strict=True)
            },
        )

    def over_rows(self, columns: tuple[Float[Tensor, "chain ..."], ...]) -> RowEnergy:
        """Return the energy over packed points that each have data of their own.

        Args:
            columns: For each given of the graph that is by row, in order, its value per point.
        """
        assert len(columns) == len(self.program.rows)
        return RowEnergy(
            dim=self.dim,
            dtype=self.dtype,
            device=self.device,
            prepared=self.binding.prepared,
            paths=self.program.rows,
            columns=columns,
            total=self._functions.total,
            required=self._functions.requirements,
            reported=self._functions.reports,
            derive=bind_derivatives(self),
            code=bind_code(self),
        )

    def pack(self, point: Mapping[str, Tensor]) -> Float[Tensor, "chain dim"]:
        """Return a batch of points as rows, variables in the order of the program.

        Raises:
            EbmError: A variable is missing, unknown, or of another shape (E0710).
        """
        _require_point(self.graph, point)
        pieces = []
        for variable in self.graph.variables:
            value = point[variable.path].to(device=self.device, dtype=self.dtype)
            pieces.append(value.reshape(value.shape[0], math.prod(variable.shape)))
        if not pieces:
            return torch.zeros((1, 0), dtype=self.dtype, device=self.device)
        return torch.cat(pieces, 1)

    def unpack(self, x: Float[Tensor, "chain dim"]) -> dict[str, Tensor]:
        """Return rows as a batch of points: path to `[chain, ...]`."""
        shapes = [variable.shape for variable in self.graph.variables]
        pieces = torch.split(x, [math.prod(shape) for shape in shapes], 1) if shapes else ()
        paths = [variable.path for variable in self.graph.variables]
        return {
            path: piece.reshape(x.shape[0], *shape)
            for path, piece, shape in zip(paths, pieces, shapes, strict=True)
        }

    def forward(self, point: Mapping[str, Tensor]) -> Float[Tensor, " chain"]:
        """Return E of a batch of points [nats]; inf where something required does not hold."""
        x = self.pack(point)
        prepared = self.binding.prepared
        energy = self._functions.total(x, prepared)
        holds = (self._functions.requirements(x, prepared) >= 0).all(1)
        return torch.where(holds, energy, math.inf)

    def terms(self, point: Mapping[str, Tensor]) -> TermValues:
        """Return what each term says of a batch of points."""
        energies, margins = self._functions.terms(self.pack(point), self.binding.prepared)
        soft = [root.path for root, _ in self.graph.roots_of(RootKind.ENERGY)]
        constraints = [root.path for root, _ in self.graph.roots_of(RootKind.MARGIN)]
        by_path = dict(zip(constraints, margins.unbind(1), strict=True))
        return TermValues(
            energies=dict(zip(soft, energies.unbind(1), strict=True)),
            margins=by_path,
            satisfied={path: margin >= 0 for path, margin in by_path.items()},
        )

    def reports(self, point: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the derived quantities that the spec asks for: path to `[chain, ...]`."""
        values = self._functions.reports(self.pack(point), self.binding.prepared)
        paths = [root.path for root, _ in self.graph.roots_of(RootKind.REPORT)]
        return dict(zip(paths, values, strict=True))


def _array(value: ArrayLike | Tensor) -> ArrayLike:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def _require_point(graph: EnergyGraph, point: Mapping[str, Tensor]) -> None:
    known = [variable.path for variable in graph.variables]
    problems = [
        Diagnostic(
            code="E0710",
            headline=f"the point has `{path}`, and the spec has no such variable",
            helps=suggest(path, known),
        )
        for path in point
        if path not in known
    ]
    chains = {len(value) for value in point.values() if value.dim()}
    for variable in graph.variables:
        if variable.path not in point:
            problem = f"the point has no value for `{variable.path}`"
        elif (
            tuple(point[variable.path].shape[1:]) != variable.shape
            or not point[variable.path].dim()
        ):
            wanted = ["chain", *variable.shape]
            found = list(point[variable.path].shape)
            problem = f"`{variable.path}` of the point has shape {found}, not {wanted}"
            problem = problem.replace("'", "")
        else:
            continue
        problems.append(Diagnostic(code="E0710", headline=problem))
    if not problems and len(chains) > 1:
        problems.append(
            Diagnostic(
                code="E0710",
                headline=f"variables of the point differ in their number of chains: "
                f"{', '.join(map(str, sorted(chains)))}",
            )
        )
    if problems:
        raise EbmError(*problems)
