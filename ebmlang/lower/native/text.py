"""Scheduled cells as C statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce

from ebmlang.graph import Kind
from ebmlang.lower.native.cells import Block, Cell, Compute, Copy, Fold
from ebmlang.lower.native.places import Index, flat
from ebmlang.lower.native.schedule import Loops, Plan, Schedule

STRANDS = 4
"""Folds of parts of the same elements that are under way at a time: as many as an addition takes
cycles."""

CTYPE = {Kind.REAL: "vec", Kind.INT: "lvec", Kind.BOOL: "ivec"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Statements that compute cells.

    Attributes:
        pointers: Declarations of the memory that they use.
        lines: The statements.
        room: How many vectors of scratch they need.
    """

    pointers: tuple[str, ...]
    lines: tuple[str, ...]
    room: int


def write_cells(cells: Sequence[Cell], room: str, prefix: str = "") -> Body:
    """Return statements that compute all cells.

    Args:
        cells: In an order of dependence.
        room: A C expression of the scratch, a pointer to vectors.
        prefix: What names of variables begin with.
    """
    return _Writer(Schedule(cells, prefix), room).write()


def join_in_strands(joined: str, elements: Sequence[str]) -> str:
    """Return the fold of some elements, several at a time.

    >>> join_in_strands("{0} + {1}", ["a", "b", "c", "d", "e"])
    '(((a + d) + (b + e)) + c)'
    """
    count = min(STRANDS, -(-len(elements) // 2))
    parts = [reduce(partial(_join_two, joined), elements[i::count]) for i in range(count)]
    while len(parts) > 1:
        pairs = [_join_two(joined, *pair) for pair in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, *parts[len(parts) // 2 * 2 :]]
    return parts[0]


def _join_two(joined: str, first: str, second: str) -> str:
    return f"({joined.format(first, second)})"


class _Writer:
    def __init__(self, schedule: Schedule, room: str) -> None:
        self._schedule = schedule
        self._room = room
        self._out: list[str] = []
        self._homes, self._rooms, self._size = schedule.places()

    def write(self) -> Body:
        pointers = []
        for number, start in self._homes.items():
            kind = CTYPE[self._schedule.cells[number].kind]
            name = self._schedule.memory(number)
            pointers.append(f"{kind} *const {name} = ({kind} *)({self._room} + {start});")
        levels = 1 + max((plan.level for plan in self._schedule.plans), default=0)
        by_level: list[dict[Loops, list[int]]] = [{} for _ in range(levels)]
        blocks: list[list[int]] = [[] for _ in range(levels)]
        for number, (cell, plan) in enumerate(
            zip(self._schedule.cells, self._schedule.plans, strict=True)
        ):
            if isinstance(cell, Block):
                blocks[plan.level].append(number)
            elif isinstance(cell, Compute | Fold | Copy):
                by_level[plan.level].setdefault(plan.loops, []).append(number)
        for groups, waiting in zip(by_level, blocks, strict=True):
            self._group((), groups.pop((), []))
            for loops, numbers in groups.items():
                self._group(loops, numbers)
            for number in waiting:
                self._block(number)
        return Body(pointers=tuple(pointers), lines=tuple(self._out), room=self._size)

    def _block(self, number: int) -> None:
        cell = self._schedule.cells[number]
        assert isinstance(cell, Block)
        sources = tuple(self._schedule.memory(source) for source in cell.sources)
        room = f"({self._room} + {self._rooms.get(number, 0)})"
        self._out.append(cell.write(self._schedule.memory(number), sources, room))

    # --- loops -----------------------------------------------------------------------

    def _group(self, loops: Loops, numbers: Sequence[int]) -> None:
        """Write cells that share their loops."""
        early = [n for n in numbers if self._is_early(n)]
        for number in numbers:
            self._fill(number)
        for depth in range(len(loops) + 1):
            for number in early:
                if self._schedule.plans[number].depth == depth:
                    self._start(number)
            if depth < len(loops):
                counter = f"i{depth}"
                head = f"for (int64_t {counter} = 0; {counter} < {loops[depth]}; {counter}++) {{"
                self._out.append(head)
        for number in numbers:
            self._body(number, early=number in early)
        for depth in range(len(loops), -1, -1):
            for number in early:
                if self._schedule.plans[number].depth == depth:
                    self._finish(number)
            if depth:
                self._out.append("}")

    def _is_early(self, number: int) -> bool:
        """Whether a fold's accumulators start outside of the innermost loop."""
        plan, cell = self._schedule.plans[number], self._schedule.cells[number]
        return isinstance(cell, Fold) and 0 <= plan.depth < len(plan.loops)

    def _body(self, number: int, *, early: bool) -> None:
        cell, plan = self._schedule.cells[number], self._schedule.plans[number]
        match cell:
            case Compute():
                self._compute(number, cell, plan)
            case Copy():
                self._copy(number, cell, plan)
            case Fold() if cell.joined is not None and self._is_written_out(number):
                self._join(number, cell.joined, cell, plan)
            case Fold():
                if not early and plan.depth >= 0:
                    self._start(number)
                self._steps(number, cell, plan)
                if not early and plan.depth >= 0:
                    self._finish(number)
            case _:
                raise AssertionError(cell)

    def _compute(self, number: int, cell: Compute, plan: Plan) -> None:
        memory = "" if cell.memory is None else self._schedule.memory(cell.memory)
        for point, operands in zip(plan.points, plan.operands, strict=True):
            name = plan.names[point]
            value = cell.template.format(*operands, m=memory)
            self._out.append(f"const {CTYPE[cell.kind]} {name} = {value};")
            if plan.stored:
                place = flat(point, cell.shape)
                self._out.append(f"{self._schedule.memory(number)}[{place}] = {name};")

    def _copy(self, number: int, cell: Copy, plan: Plan) -> None:
        target = cell.target
        if target is None:
            join = self._schedule.join_of(number)
            if not self._schedule.plans[join].stored:
                return
            target = self._schedule.memory(join)
        for point, (value,) in zip(plan.points, plan.operands, strict=True):
            self._out.append(f"{target}[{flat(cell.into(point), cell.size)}] = {value};")

    # --- folds -----------------------------------------------------------------------

    def _fill(self, number: int) -> None:
        """Give accumulators in memory their start."""
        cell, plan = self._schedule.cells[number], self._schedule.plans[number]
        if isinstance(cell, Fold) and plan.depth < 0:
            size = 1
            for count in cell.shape:
                size *= count
            memory = self._schedule.memory(number)
            self._out.append(
                f"for (int64_t k = 0; k < {size}; k++) {memory}[k] = {cell.initial[0]};"
            )

    def _start(self, number: int) -> None:
        cell, plan = self._schedule.cells[number], self._schedule.plans[number]
        assert isinstance(cell, Fold)
        for i in range(len(plan.results)):
            for j, initial in enumerate(cell.initial):
                name = self._accumulator(number, i, j)
                self._out.append(f"{CTYPE[cell.kind]} {name} = {initial};")

    def _steps(self, number: int, cell: Fold, plan: Plan) -> None:
        results = {place: i for i, place in enumerate(plan.results)}
        for point, operands in zip(plan.points, plan.operands, strict=True):
            place = cell.into(point)
            if plan.depth < 0:
                memory = self._schedule.memory(number)
                names = {"a0": f"{memory}[{flat(place, cell.shape)}]"}
            else:
                names = {
                    f"a{j}": self._accumulator(number, results[place], j)
                    for j in range(len(cell.initial))
                }
            names |= {f"x{k}": text for k, text in enumerate(operands)}
            self._out.append(cell.step.format(**names))

    def _finish(self, number: int) -> None:
        cell, plan = self._schedule.cells[number], self._schedule.plans[number]
        assert isinstance(cell, Fold)
        for i in range(len(plan.results)):
            names = {f"a{j}": self._accumulator(number, i, j) for j in range(len(cell.initial))}
            self._result(number, i, cell.result.format(**names))

    def _result(self, number: int, place: int, value: str) -> None:
        cell, plan = self._schedule.cells[number], self._schedule.plans[number]
        name = f"{self._schedule.prefix}v{number}_{place}"
        self._out.append(f"const {CTYPE[cell.kind]} {name} = {value};")
        if plan.stored:
            memory = self._schedule.memory(number)
            self._out.append(f"{memory}[{flat(plan.results[place], cell.shape)}] = {name};")

    def _is_written_out(self, number: int) -> bool:
        """Whether all elements of a fold are C variables, and each result has some."""
        plan, cell = self._schedule.plans[number], self._schedule.cells[number]
        return isinstance(cell, Fold) and not plan.loops and not cell.scatters

    def _join(self, number: int, joined: str, cell: Fold, plan: Plan) -> None:
        """Fold elements in strands, so that a step need not wait for all before it."""
        elements: dict[Index, list[str]] = {place: [] for place in plan.results}
        for point, operands in zip(plan.points, plan.operands, strict=True):
            names = {f"x{k}": text for k, text in enumerate(operands)}
            elements[cell.into(point)].append(cell.element.format(**names))
        for i, place in enumerate(plan.results):
            self._result(number, i, join_in_strands(joined, elements[place]))

    def _accumulator(self, number: int, result: int, place: int) -> str:
        return f"{self._schedule.prefix}a{number}_{result}_{place}"
