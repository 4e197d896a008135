"""The energy graph as the text of a Python module: straight-line torch code.

The text has one function per question, each computing only what its answer needs:

| function | returns |
| --- | --- |
| `prepare(c, g, w, real, check)` | once per binding: all that no unknown decides, as a tuple `p` |
| `bounds(c, g, w, real)` | bounds of variables |
| `total(x, p)` | E, `[chain]` |
| `terms(x, p)` | energies `[chain, term]` and margins `[chain, constraint]` |
| `requirements(x, p)` | margins of all that is required, `[chain, requirement]` |
| `reports(x, p)` | a tuple of arrays, each `[chain, ...]` |

`x` is a batch of packed points, `c` the constants, `g` the data, `w` the weights, `f` the functions
from Python, `real` the dtype, and `check(i, index)` is called with each index that depends on data
before it is used.

Data that has a value per row of a table, and so per chain, comes at the end of `p`, behind what
`prepare` has made. What depends on it is not known to `prepare` and `bounds`, and left out there.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ebmlang.graph import Constant, EnergyGraph, Root, RootKind
from ebmlang.lower.frame import Frame, Inputs, Lines, show_path
from ebmlang.lower.points import find_point, name_points
from ebmlang.lower.site import Operand, as_real, show_shape, spread
from ebmlang.passes.clauses import list_required
from ebmlang.passes.guards import plan_guards

_HEAD = """\
from math import inf, nan

import torch
import torch.nn.functional as F

import ebmlang.lower.torch_kernels as k
"""


_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Emitted code, and what its inputs stand for.

    Attributes:
        text: A Python module.
        constants: The values of `c`.
        givens: The paths of `g`.
        rows: The paths of the data that comes at the end of `p`.
        weights: The paths of `w`.
        externs: The names of `f`.
        bounds: The roots that `bounds` returns.
        indices: The roots and node numbers that `check` speaks of by their place.
    """

    text: str
    constants: tuple[Constant, ...]
    givens: tuple[str, ...]
    rows: tuple[str, ...]
    weights: tuple[str, ...]
    externs: tuple[str, ...]
    bounds: tuple[Root, ...]
    indices: tuple[tuple[Root, int], ...]


def emit_source(graph: EnergyGraph) -> str:
    """Return the text of the module for a graph that has been through the passes."""
    return emit_program(graph).text


def emit_program(graph: EnergyGraph) -> Program:
    """Return the module for a graph that has been through the passes, and its inputs."""
    emitter = _Emitter(graph)
    functions = [
        emitter.total(),
        emitter.terms(),
        emitter.requirements(),
        emitter.reports(),
        emitter.bounds(),
    ]
    return emitter.program(functions)


def emit_trace(graph: EnergyGraph, numbers: Sequence[int]) -> Program:
    """Return a module whose one question, `trace(x, p)`, is the values of these nodes."""
    emitter = _Emitter(graph)
    return emitter.program([emitter.values("trace", "Return the traced values.", numbers)])


def emit_gradient(graph: EnergyGraph, *, joins_sums: bool = True) -> Program:
    """Return a module whose one question, `value_and_gradient(x, p)`, is TOTAL and GRADIENT.

    Args:
        graph: A graph that `passes.gradient` has differentiated.
        joins_sums: Whether sums take as few calls as they can, or each step a statement of its own.
    """
    emitter = _Emitter(graph, by_autograd=False, joins_sums=joins_sums)
    return emitter.program([emitter.value_and_gradient()])


class _Emitter:
    def __init__(
        self, graph: EnergyGraph, *, by_autograd: bool = True, joins_sums: bool = False
    ) -> None:
        self._graph = graph
        self._joins_sums = joins_sums
        leaves = [n.option("path") for n in graph.nodes if n.operator == "weight"]
        weights = dict.fromkeys((*graph.weights, *leaves))
        shared = [given.path for given in graph.givens if not given.by_row]
        self._rows = tuple(given.path for given in graph.givens if given.by_row)
        self._inputs = Inputs(
            givens={path: i for i, path in enumerate(shared)},
            weights={path: i for i, path in enumerate(weights)},
        )
        kinds = (RootKind.INDEX, RootKind.POSITIVE)
        self._checked = tuple(
            (root, n)
            for root, n in graph.roots.items()
            if root.kind in kinds and not graph.varying[n]
        )
        places = {variable.path: i for i, variable in enumerate(graph.variables)}
        self._variables = {
            number: f"x{places[node.option('path')]}"
            for number, node in enumerate(graph.nodes)
            if node.operator == "variable"
        }
        self._points = name_points(graph)
        # From the end, since how much `prepare` returns is known only once all is written.
        ends = {path: place - len(self._rows) for place, path in enumerate(self._rows)}
        self._columns = {
            number: f"p[{ends[node.option('path')]}]"
            for number, node in enumerate(graph.nodes)
            if node.operator == "given" and node.option("path") in ends
        }
        self._by_autograd = by_autograd
        # Guards only say where autograd has to stop.
        self._guards = plan_guards(graph, graph.varying) if by_autograd else {}
        kinds = (RootKind.LOWER, RootKind.UPPER)
        self._bounds = tuple(
            root for root, n in graph.roots.items() if root.kind in kinds and not graph.varying[n]
        )

    def program(self, functions: Sequence[str]) -> Program:
        prepare = self._prepare()
        count = len(self._graph.variables)
        title = f'"""An energy over {count} variable{"" if count == 1 else "s"}."""\n'
        return Program(
            text="\n\n".join([title + "\n" + _HEAD, prepare, *functions]),
            constants=tuple(self._inputs.constants),
            givens=tuple(self._inputs.givens),
            rows=self._rows,
            weights=tuple(self._inputs.weights),
            externs=tuple(self._inputs.externs),
            bounds=self._bounds,
            indices=self._checked,
        )

    # --- before the unknowns are known -----------------------------------------------

    def _prepare(self) -> str:
        checks: dict[int, list[int]] = {}
        for place, (_, number) in enumerate(self._checked):
            checks.setdefault(number, []).append(place)
        frame = self._frame(behind_prepare=False, checks=checks)
        leaves = [n for n in checks if not frame.order([n])]
        for number in leaves:
            for place in checks[number]:
                frame.out.add(f"check({place}, {frame.operand(number).text})")
        # Indices come first, so that each is checked before anything is read through it.
        frame.write([*checks, *self._inputs.preparing])
        values = [
            f"    {text},  # p[{i}]{self._number(text)}"
            for text, i in self._inputs.prepared.items()
        ]
        result = ["return (", *values, ")"] if values else ["return ()"]
        lines = [*frame.out.lines, *(f"    {line}" for line in result)]
        named = [
            *_named(lines, "g", self._inputs.givens),
            *_named(lines, "w", self._inputs.weights),
        ]
        doc = "Compute once what no unknown decides."
        return _function("prepare(c, g, w, real, check)", doc, [*named, *lines])

    def _number(self, text: str) -> str:
        """Return what a constant is, where it is one number."""
        arrays = {f"c[{i}]": constant.array for constant, i in self._inputs.constants.items()}
        array = arrays.get(text)
        return f" = {array.item()!r}" if array is not None and array.shape == () else ""

    def bounds(self) -> str:
        frame = self._frame(behind_prepare=False)
        numbers = [self._graph.roots[root] for root in self._bounds]
        frame.write(numbers)
        frame.out.add(f"return {_tuple([frame.operand(n) for n in numbers])}")
        return _function("bounds(c, g, w, real)", "Return bounds of variables.", frame.out.lines)

    # --- given a batch of points -----------------------------------------------------

    def total(self) -> str:
        frame = self._frame()
        (number,) = [n for _, n in self._graph.roots_of(RootKind.TOTAL)]
        frame.write([number])
        frame.out.add(f"return {spread(as_real(frame.operand(number))).text}")
        return self._batched("total", "Return the energy: [chain].", frame)

    def terms(self) -> str:
        frame = self._frame()
        energies = [n for _, n in self._graph.roots_of(RootKind.ENERGY)]
        margins = [n for _, n in self._graph.roots_of(RootKind.MARGIN)]
        vectors = [self._graph.roots.get(Root(k)) for k in (RootKind.ENERGIES, RootKind.MARGINS)]
        sides = list(zip(("energies", "margins"), vectors, (energies, margins), strict=True))
        frame.write([n for _, vector, numbers in sides for n in _either(vector, numbers)])
        for name, vector, numbers in sides:
            if vector is None:
                joined = _joined(frame, numbers, "stack")
            else:
                joined = spread(as_real(frame.operand(vector))).text
            frame.out.add(f"{name} = {joined}")
        frame.out.add("return energies, margins")
        return self._batched(
            "terms", "Return energies [chain, term] and margins [chain, constraint].", frame
        )

    def requirements(self) -> str:
        frame = self._frame()
        numbers = [n for _, n in list_required(self._graph)]
        frame.write(numbers)
        frame.out.add(f"return {_joined(frame, numbers, 'cat')}")
        return self._batched(
            "requirements", "Return the margins of what is required: [chain, requirement].", frame
        )

    def reports(self) -> str:
        numbers = [n for _, n in self._graph.roots_of(RootKind.REPORT)]
        return self.values("reports", "Return derived quantities, each [chain, ...].", numbers)

    def values(self, name: str, doc: str, numbers: Sequence[int]) -> str:
        frame = self._frame()
        frame.write(numbers)
        frame.out.add(f"return {_tuple([spread(frame.operand(n)) for n in numbers])}")
        return self._batched(name, doc, frame)

    def value_and_gradient(self) -> str:
        frame = self._frame()
        (number,) = [n for _, n in self._graph.roots_of(RootKind.TOTAL)]
        slopes = [n for _, n in self._graph.roots_of(RootKind.GRADIENT)]
        point = find_point(self._graph, slopes)
        slopes = slopes if point is None else [point]
        frame.write([number, *slopes])
        value = spread(as_real(frame.operand(number))).text
        frame.out.add(f"return {value}, {_packed([frame.operand(n) for n in slopes])}")
        return self._batched(
            "value_and_gradient", "Return the value [chain] and its gradient [chain, dim].", frame
        )

    def _frame(
        self, *, behind_prepare: bool = True, checks: dict[int, list[int]] | None = None
    ) -> Frame:
        return Frame(
            graph=self._graph,
            inputs=self._inputs,
            out=Lines(),
            varying=self._graph.varying,
            guards=self._guards,
            by_autograd=self._by_autograd,
            joins_sums=self._joins_sums and behind_prepare,
            names={**self._variables, **self._points, **self._columns},
            behind_prepare=behind_prepare,
            checks=checks or {},
        )

    def _batched(self, name: str, doc: str, frame: Frame) -> str:
        lines = frame.out.lines
        return _function(f"{name}(x, p)", doc, [*self._unpacked(lines), *lines])

    def _unpacked(self, lines: Sequence[str]) -> list[str]:
        """Return the statements that take a packed point apart, as far as `lines` need it."""
        code = "\n".join(lines)
        variables = self._graph.variables
        words = set(_WORDS.findall(code))
        used = [i for i in range(len(variables)) if f"x{i}" in words]
        out = Lines()
        read = frozenset(used)
        apart = ", ".join(f"x{i}" if i in read else "_" for i in range(len(variables)))
        sizes = [math.prod(variable.shape) for variable in variables]
        if used and len(variables) > 1:
            # One call for all: its gradient is one concatenation.
            scalars = all(variable.shape == () for variable in variables)
            whole = "unbind(1)" if scalars else f"split(({', '.join(map(str, sizes))}), 1)"
            # Brackets let a long line be broken.
            out.add(f"{apart if len(apart) < 60 else f'({apart})'} = x.{whole}")
        for i in used:
            shape = variables[i].shape
            source = f"x{i}" if len(variables) > 1 else "x"
            scalars = len(variables) > 1 and all(v.shape == () for v in variables)
            taken = (
                source
                if len(shape) == 1 or scalars
                else f"{source}.reshape({show_shape(shape, varying=True)})"
            )
            if taken != f"x{i}":
                out.add(f"x{i} = {taken}")
        code += "\n".join(out.lines)
        head = Lines()
        for i in used:
            head.lines.append(f"    # x{i}: {show_path(variables[i].path)}")
        if _has_word(code, "chains"):
            head.add("chains = x.shape[0]")
        if _has_word(code, "real"):
            head.add("real = x.dtype")
        return [*head.lines, *out.lines]


def _function(signature: str, doc: str, lines: Sequence[str]) -> str:
    return "\n".join([f"def {signature}:", f'    """{doc}"""', *lines, ""])


def _named(lines: Sequence[str], name: str, places: Mapping[str, int]) -> list[str]:
    """Return comments that say which paths the inputs read by these lines belong to."""
    read = set(re.findall(rf"\b{name}\[(\d+)\]", "\n".join(lines)))
    return [
        f"    # {name}[{place}]: {show_path(path)}"
        for path, place in places.items()
        if str(place) in read
    ]


def _tuple(operands: Sequence[Operand]) -> str:
    texts = [operand.text for operand in operands]
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _joined(frame: Frame, numbers: Sequence[int], how: str) -> str:
    """Return values side by side along the axis behind the chains."""
    if not numbers:
        return "x.new_zeros((x.shape[0], 0))"
    return f"torch.{how}({_tuple([spread(as_real(frame.operand(n))) for n in numbers])}, 1)"


def _either(vector: int | None, numbers: Sequence[int]) -> list[int]:
    return list(numbers) if vector is None else [vector]


def _packed(operands: Sequence[Operand]) -> str:
    """Return one value per variable as packed points."""
    if not operands:
        return "x.new_zeros((x.shape[0], 0))"
    wide = [spread(operand) for operand in operands]
    if len(wide) > 1 and all(operand.shape == () for operand in wide):
        return f"torch.stack({_tuple(wide)}, 1)"
    flat = [_flattened(operand) for operand in wide]
    return flat[0].text if len(flat) == 1 else f"torch.cat({_tuple(flat)}, 1)"


def _flattened(operand: Operand) -> Operand:
    if len(operand.shape) == 1:
        return operand
    if operand.shape == ():
        return operand.inside("{}.unsqueeze(1)")
    return operand.inside(f"{{}}.reshape((chains, {math.prod(operand.shape)}))")


def _has_word(code: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", code) is not None
