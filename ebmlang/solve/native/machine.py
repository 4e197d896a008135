"""An objective as machine code, and how its functions are called on tensors.

A function gets a job (which starts, how many steps, what does not change on the way), and states as
structures of pointers to arrays with the start in front. What a call returns is new; what it
was given stays as it is.
"""

import ctypes
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.lower.native.build import Library
from ebmlang.spaces import SolvingChart

Columns: TypeAlias = Mapping[str, Tensor]
"""Data by row: path to one value per start."""


BOX_COLUMNS = ("shift of the row", "width of the row", "lower of the row", "upper of the row")
"""Paths of what folds bounds that come from the row; no name in a spec has spaces."""

FEWEST = 256
"""Starts below which a thread of their own costs more than it brings."""


class _Job(ctypes.Structure):
    """`job` in `blocks.c`."""

    _fields_ = (
        ("count", ctypes.c_int64),
        ("which", ctypes.c_void_p),
        ("steps", ctypes.c_int64),
        ("minimized", ctypes.c_void_p),
        ("scratch", ctypes.c_int64),
        ("shared", ctypes.c_void_p),
        ("dim", ctypes.c_int64),
        ("variables", ctypes.c_int64),
        ("places", ctypes.c_void_p),
        ("boxes", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("widths", "rows", "order", "shift", "scale")),
        *((name, ctypes.c_void_p) for name in ("lower", "upper", "floor", "ceiling")),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """An objective over boxes as machine code.

    Attributes:
        loops: Of descents, around any objective.
        library: What it is in.
        name: What it is called there.
        sizes: How many numbers each variable has, in the order of the packed point.
        dtype: What its reals are.
        shared: The arrays that it reads, whatever the start.
        rows: The paths of the data by row that it reads, in its order.
    """

    loops: Library
    library: Library
    name: str
    sizes: tuple[int, ...]
    dtype: torch.dtype
    shared: tuple[Tensor, ...]
    rows: tuple[str, ...]

    def evaluate(
        self, chart: SolvingChart, columns: Columns, y: Float[Tensor, "start dim"]
    ) -> tuple[Float[Tensor, " start"], Float[Tensor, "start dim"]]:
        """Return value and gradient by solver's coordinates; `inf` and 0 where not finite."""
        y = y.detach().contiguous()
        value, gradient = torch.empty_like(y[:, 0]), torch.empty_like(y)
        arrays = point_to(y, value, gradient)
        self.run("evaluate_starts", chart, columns, torch.arange(len(y)), 0, [arrays])
        return value, gradient

    def run(
        self,
        name: str,
        chart: SolvingChart,
        columns: Columns,
        which: Int[Tensor, " _"],
        steps: int,
        arguments: Sequence[Any],
    ) -> int:
        """Call a function by its name, and return how many evaluations of a start it took.

        Args:
            name: What it is called in the text.
            chart: The coordinates.
            columns: The data by row.
            which: The starts that take part.
            steps: How many steps they take.
            arguments: What follows the job. Any: as ctypes takes them.
        """
        function, code = self.loops.handle[name], self.library.handle
        function.restype = ctypes.c_int64
        minimized = ctypes.cast(code[f"{self.name}_objective"], ctypes.c_void_p)
        scratch = ctypes.c_int64.in_dll(code, f"{self.name}_scratch")
        places = torch.tensor([0, *self.sizes]).cumsum(0)
        boxes = BOX_COLUMNS if BOX_COLUMNS[0] in columns else ()
        paths = (*self.rows, *boxes)
        rows = [columns[path].to(self.dtype).contiguous() for path in paths]
        widths = torch.tensor([row[0].numel() if len(row) else 0 for row in rows])
        dim = chart.lower.shape[0]
        order = torch.arange(dim) if chart.order is None else chart.order.contiguous()
        ends = (chart.shift, chart.scale, chart.lower, chart.upper, chart.floor, chart.ceiling)
        kept = [end.contiguous() for end in ends]
        addresses = point_to(*self.shared), point_to(*rows)

        def work(part: Tensor) -> int:
            job = _Job(
                len(part),
                part.data_ptr(),
                steps,
                minimized,
                scratch,
                ctypes.addressof(addresses[0]),
                dim,
                len(self.sizes),
                places.data_ptr(),
                int(bool(boxes)),
                len(rows),
                widths.data_ptr(),
                ctypes.addressof(addresses[1]),
                order.data_ptr(),
                *(end.data_ptr() for end in kept),
            )
            taken: int = function(ctypes.byref(job), *arguments)
            return taken

        # Calls release the interpreter's lock, and starts have nothing to do with each other.
        threads = min(torch.get_num_threads(), len(which) // FEWEST)
        if threads < 2:
            taken = [work(which)]
        else:
            with ThreadPoolExecutor(threads) as pool:
                taken = list(pool.map(work, torch.tensor_split(which, threads)))
        if min(taken) < 0:
            raise MemoryError
        return sum(taken)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machines:
    """What descents minimize, as machine code.

    Attributes:
        lagrangian: The energy, with its requirements if there are any.
        violation: The requirements alone; None where there are none.
    """

    lagrangian: Machine
    violation: Machine | None


def point_to(*tensors: Tensor) -> "ctypes.Array[ctypes.c_void_p]":
    """Return the addresses of some contiguous tensors, as C takes them."""
    kind = ctypes.c_void_p * max(1, len(tensors))
    return kind(*(tensor.data_ptr() for tensor in tensors))
