"""When and where each cell is computed: levels, loops, and what is kept in memory.

A cell's elements are gone through in its *space*: the trailing axes written out, as far as they are
few, the others as loops. Cells of one space that need nothing but each other's elements at the same
place share their loops, so that what goes from one to the next stays in registers; cells with
nothing to loop over are plain C variables. A cell that reads others elsewhere than at its own place
comes a *level* later, and they are kept in memory, as long as somebody reads them.
"""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ebmlang.graph import Kind
from ebmlang.lower.native.cells import (
    Block,
    Cell,
    Compute,
    Copy,
    Fold,
    Join,
    Leaf,
    Read,
    Shape,
)
from ebmlang.lower.native.places import Index, Place, flat

UNROLLED = 16
"""Elements up to which trailing axes are written out: their values fit into the registers."""

SCATTERED = 64
"""Elements up to which zeros that something is added to are C variables."""

Loops = tuple[int, ...]


@dataclass(slots=True)
class Plan:
    """Where a cell's elements are to be had.

    Attributes:
        level: When it is computed.
        loops: Sizes of the loops it is computed in, without those of size 1.
        points: The indices that one turn of the loops goes through.
        names: C expressions by the index of an element, for elements that have a variable.
        pieces: For a join of elements outside of loops, what each of them is read from.
        ready: The level from which others can read its memory, or its variables outside of loops.
        results: For a fold, the indices that one turn of the loops has results for.
        depth: For a fold, how many loops its accumulators are inside of; -1: they are in memory.
        operands: For each point, the C expressions of what it reads there.
        stored: Whether it is kept in memory.
        last: The last level at which its memory is read.
        first: The first level at which its memory is written.
    """

    level: int = 0
    loops: Loops = ()
    points: tuple[Index, ...] = ()
    names: dict[Index, str] = field(default_factory=dict)
    pieces: dict[Index, tuple[Read, Index]] = field(default_factory=dict)
    ready: int = 0
    results: tuple[Index, ...] = ()
    depth: int = 0
    operands: list[tuple[str, ...]] = field(default_factory=list)
    stored: bool = False
    last: int = -1
    first: int = 0


def span(shape: Shape, together: int = 1, ahead: int = 0) -> tuple[Loops, tuple[Index, ...]]:
    """Return the loops over an array, and the indices that are written out inside of them.

    Args:
        shape: Of the array.
        together: How many neighbors along the axis `ahead` are written out.
        ahead: The axis.

    >>> span((200, 2))
    ((200,), (('i0', 0), ('i0', 1)))
    """
    first, size = len(shape), 1
    while first > 0 and size * shape[first - 1] <= UNROLLED:
        first -= 1
        size *= shape[first]
    loops: list[int] = []
    places: list[Sequence[Place]] = []
    for axis, count in enumerate(shape):
        if axis >= first or count == 1:
            places.append(range(count))
            continue
        counter = f"i{len(loops)}"
        if axis == ahead and together > 1:
            turns = -(-count // together)
            places.append(_neighbors(counter, turns, count, together))
            if turns > 1:
                loops.append(turns)
        else:
            places.append([counter])
            loops.append(count)
    return tuple(loops), tuple(itertools.product(*places))


def _neighbors(counter: str, turns: int, count: int, together: int) -> list[Place]:
    if turns == 1:
        return list(range(count))
    places: list[Place] = [f"({counter} * {together} + {i})" for i in range(together)]
    if count % together:
        # The last turn goes over some elements again, which then get the same values.
        return [f"LEAST({place}, {count - 1})" for place in places]
    return places


class Schedule:
    """The plans of all cells.

    Attributes:
        cells: The cells.
        prefix: What the names of its variables begin with.
        plans: One for each cell.
    """

    def __init__(self, cells: Sequence[Cell], prefix: str) -> None:
        self.cells = cells
        self.prefix = prefix
        self.plans: list[Plan] = []
        self._joins = {
            copy: number
            for number, cell in enumerate(cells)
            if isinstance(cell, Join)
            for copy in cell.copies
        }
        for number, cell in enumerate(cells):
            self.plans.append(self._plan(number, cell))

    def memory(self, number: int) -> str:
        """Return the name of a cell's memory."""
        return f"{self.prefix}m{self.home(number)}"

    def home(self, number: int) -> int:
        """Return the cell in whose memory a cell's elements stand."""
        cell = self.cells[number]
        if isinstance(cell, Block) and cell.inside:
            return cell.sources[0]
        return number

    def join_of(self, copy: int) -> int:
        """Return the join that a copy is a piece of."""
        return self._joins[copy]

    # --- one cell --------------------------------------------------------------------

    def _plan(self, number: int, cell: Cell) -> Plan:
        match cell:
            case Leaf():
                return Plan()
            case Compute():
                return self._compute(number, cell)
            case Copy():
                plan = self._looped(cell.shape, (cell.read,))
                plan.ready = plan.level + bool(plan.loops)
                return plan
            case Fold():
                return self._fold(number, cell)
            case Join():
                return self._join(cell)
            case Block():
                level = max((self.plans[source].ready for source in cell.sources), default=0)
                for source in cell.sources:
                    self._keep(source, level)
                plan = Plan(level=level, ready=level + 1, stored=not cell.inside)
                plan.first = plan.last = level
                return plan

    def _looped(
        self, shape: Shape, reads: Sequence[Read], together: int = 1, ahead: int = 0, least: int = 0
    ) -> Plan:
        loops, points = span(shape, together, ahead)
        needs = (self._need(r, point, loops) for point in points for r in reads)
        plan = Plan(level=max(needs, default=0), loops=loops, points=points)
        plan.level = max(plan.level, least)
        plan.first = plan.level
        plan.operands = [
            tuple(self._resolve(read, point, plan) for read in reads) for point in points
        ]
        return plan

    def _compute(self, number: int, cell: Compute) -> Plan:
        least = 0
        if cell.memory is not None:
            least = self.plans[cell.memory].ready
        plan = self._looped(cell.shape, cell.reads, least=least)
        if cell.memory is not None:
            self._keep(cell.memory, plan.level)
        plan.names = {point: f"{self.prefix}v{number}_{i}" for i, point in enumerate(plan.points)}
        plan.ready = plan.level + bool(plan.loops)
        return plan

    def _fold(self, number: int, cell: Fold) -> Plan:
        plan = self._looped(cell.over, cell.reads, cell.together, cell.ahead)
        results = dict.fromkeys(cell.into(point) for point in plan.points)
        known = all(isinstance(place, int) for index in results for place in index)
        if cell.scatters and known and not plan.loops and math.prod(cell.shape) <= SCATTERED:
            # Those that nothing is added to as well.
            results = dict.fromkeys(itertools.product(*map(range, cell.shape)))
        plan.results = tuple(results)
        used = {int(i) for i in re.findall(r"\bi(\d+)\b", " ".join(map(str, results)))}
        plan.ready = plan.level + bool(plan.loops)
        plan.depth = len(used)
        scattered = cell.scatters and (not known or len(results) < math.prod(cell.shape))
        if scattered or used != set(range(len(used))):
            plan.depth, plan.stored = -1, True
            assert len(cell.initial) == 1, "accumulators in memory come one for each result"
            return plan
        names = {place: f"{self.prefix}v{number}_{i}" for i, place in enumerate(results)}
        if plan.depth in (0, len(plan.loops)):
            plan.names = names
        else:
            plan.stored = True
        return plan

    def _join(self, cell: Join) -> Plan:
        copies = [self.plans[copy] for copy in cell.copies]
        plan = Plan()
        plan.level = max((copy.level for copy in copies), default=0)
        plan.first = min((copy.level for copy in copies), default=0)
        plan.ready = max((copy.ready for copy in copies), default=0)
        if all(not copy.loops for copy in copies):
            for number, copy in zip(cell.copies, copies, strict=True):
                piece = self.cells[number]
                assert isinstance(piece, Copy)
                for point, (text,) in zip(copy.points, copy.operands, strict=True):
                    plan.names[piece.into(point)] = text
                    plan.pieces[piece.into(point)] = (piece.read, point)
        else:
            plan.stored = True
        return plan

    # --- reading ---------------------------------------------------------------------

    def _need(self, read: Read, index: Index, loops: Loops) -> int:
        """Return the level from which a reader in these loops can read an element."""
        if isinstance(self.cells[read.cell], Leaf):
            return 0
        plan = self.plans[read.cell]
        if self._is_at_hand(read.cell, loops) and read.at(index) in plan.names:
            return plan.level
        return plan.ready

    def _is_at_hand(self, number: int, loops: Loops) -> bool:
        """Whether a cell's variables are in these very loops."""
        plan, cell = self.plans[number], self.cells[number]
        if plan.loops != loops:
            return False
        return not (isinstance(cell, Fold) and plan.loops and plan.depth != len(plan.loops))

    def _resolve(self, read: Read, index: Index, reader: Plan) -> str:
        """Return the C expression of an element, and see to it that it is to be had there."""
        cell = self.cells[read.cell]
        place = read.at(index)
        if isinstance(cell, Leaf):
            return cell.load(flat(place, cell.shape))
        plan = self.plans[read.cell]
        if place in plan.pieces:
            # It may stand in the memory of another cell, which is then kept for this reader.
            return self._resolve(*plan.pieces[place], reader)
        name = plan.names.get(place)
        if name is not None:
            outside = not plan.loops or (isinstance(cell, Fold) and plan.depth == 0)
            inside = self._is_at_hand(read.cell, reader.loops) and plan.level == reader.level
            if outside or inside:
                return name
        self._keep(read.cell, reader.level)
        return f"{self.memory(read.cell)}[{flat(place, cell.shape)}]"

    def _keep(self, number: int, level: int) -> None:
        plan = self.plans[self.home(number)]
        plan.stored = True
        plan.last = max(plan.last, level)

    # --- memory ----------------------------------------------------------------------

    def places(self) -> tuple[dict[int, int], dict[int, int], int]:
        """Return where each stored cell, and each block's room, begins, and the size [vectors]."""
        wanted: list[tuple[int, int, int, int, bool]] = []
        for number, (cell, plan) in enumerate(zip(self.cells, self.plans, strict=True)):
            if plan.stored and not isinstance(cell, Copy):
                size = math.prod(cell.shape) * (2 if cell.kind is Kind.INT else 1)
                wanted.append((plan.first, max(plan.last, plan.level), size, number, False))
            if isinstance(cell, Block) and cell.room:
                wanted.append((plan.level, plan.level, cell.room, number, True))
        taken: list[tuple[int, int, int, int]] = []
        homes: dict[int, int] = {}
        rooms: dict[int, int] = {}
        for first, last, size, number, is_room in sorted(wanted):
            start = 0
            for begin, end, since, until in sorted(taken):
                if since <= last and first <= until and begin < start + size and start < end:
                    start = end
            taken.append((start, start + size, first, last))
            (rooms if is_room else homes)[number] = start
        return homes, rooms, max((end for _, end, _, _ in taken), default=0)
