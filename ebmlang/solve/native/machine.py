"""An objective as machine code, and how its functions are called on tensors.

A function gets a job (which starts, how many steps, what does not change on the way), and states as
structures of pointers to arrays with the start in front. What a call returns is new; what it
was given stays as it is.
"""

import ctypes
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
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


_ENDS = ("shift", "scale", "lower", "upper", "floor", "ceiling")
"""What a job reads of the coordinates."""


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
        *((name, ctypes.c_void_p) for name in ("widths", "rows", "order", *_ENDS)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """An objective over boxes as machine code.

    Attributes:
        loops: Of descents, around any objective.
        rows: The paths of the data by row that it reads, in its order.
        dtype: What its reals are.
        job: What is the same in all calls.
        kept: What that points to, other than the machine code.
    """

    loops: Library
    rows: tuple[str, ...]
    dtype: torch.dtype
    job: _Job
    # Any: tensors, and arrays of their addresses.
    kept: tuple[Any, ...]

    def evaluate(
        self, columns: Columns, y: Float[Tensor, "start dim"]
    ) -> tuple[Float[Tensor, " start"], Float[Tensor, "start dim"]]:
        """Return value and gradient by solver's coordinates; `inf` and 0 where not finite."""
        y = y.detach().contiguous()
        value, gradient = y.new_empty(len(y)), torch.empty_like(y)
        arrays = point_to(y, value, gradient)
        self.run("evaluate_starts", columns, torch.arange(len(y)), 0, [arrays])
        return value, gradient

    def run(
        self,
        name: str,
        columns: Columns,
        which: Int[Tensor, " _"],
        steps: int,
        arguments: Sequence[Any],
    ) -> int:
        """Call a function by its name, and return how many evaluations of a start it took.

        Args:
            name: What it is called in the text.
            columns: The data by row.
            which: The starts that take part.
            steps: How many steps they take.
            arguments: What follows the job. Any: as ctypes takes them.
        """
        function = _find_loop(self.loops, name)
        boxes = BOX_COLUMNS if BOX_COLUMNS[0] in columns else ()
        paths = (*self.rows, *boxes)
        rows = [columns[path].to(self.dtype).contiguous() for path in paths]
        widths = (ctypes.c_int64 * len(rows))(*(row[0].numel() if len(row) else 0 for row in rows))
        addresses = point_to(*rows)

        def work(part: Tensor) -> int:
            job = _Job.from_buffer_copy(self.job)
            job.count, job.which, job.steps = len(part), part.data_ptr(), steps
            job.boxes, job.columns = int(bool(boxes)), len(rows)
            job.widths, job.rows = ctypes.addressof(widths), ctypes.addressof(addresses)
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


@lru_cache(maxsize=16)
def _find_loop(loops: Library, name: str) -> Any:  # Any: a function of C, which has no type
    function = loops.handle[name]
    function.restype = ctypes.c_int64
    return function


def build_machine(
    name: str,
    *,
    loops: Library,
    library: Library,
    chart: SolvingChart,
    sizes: Sequence[int],
    shared: Sequence[Tensor] = (),
    rows: tuple[str, ...] = (),
) -> Machine:
    """Return an objective as machine code, ready to be called.

    Args:
        name: What it is called in its library.
        loops: Of descents, around any objective.
        library: What it is in.
        chart: The solver's coordinates: boxes.
        sizes: How many numbers each variable has, in the order of the packed point.
        shared: The arrays that it reads, whatever the start.
        rows: The paths of the data by row that it reads, in its order.
    """
    code, dim = library.handle, chart.lower.shape[0]
    places = (ctypes.c_int64 * (len(sizes) + 1))(*accumulate(sizes, initial=0))
    order = torch.arange(dim) if chart.order is None else chart.order.contiguous()
    ends = (chart.shift, chart.scale, chart.lower, chart.upper, chart.floor, chart.ceiling)
    kept = [end.contiguous() for end in ends]
    addresses = point_to(*shared)
    job = _Job(
        minimized=ctypes.cast(code[f"{name}_objective"], ctypes.c_void_p),
        scratch=ctypes.c_int64.in_dll(code, f"{name}_scratch"),
        shared=ctypes.addressof(addresses),
        dim=dim,
        variables=len(sizes),
        places=ctypes.addressof(places),
        order=order.data_ptr(),
        **{end: tensor.data_ptr() for end, tensor in zip(_ENDS, kept, strict=True)},
    )
    return Machine(
        loops=loops,
        rows=rows,
        dtype=chart.lower.dtype,
        job=job,
        kept=(library, addresses, *shared, places, order, *kept),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machines:
    """What descents minimize, as machine code.

    Attributes:
        lagrangian: The energy, with its requirements if there are any.
        violation: The requirements alone; None where there are none.
    """

    lagrangian: Machine
    violation: Machine | None

    @property
    def energy(self) -> Machine | None:
        """The energy alone: the Lagrangian where nothing is required, else there is none."""
        return self.lagrangian if self.violation is None else None


def point_to(*tensors: Tensor) -> "ctypes.Array[ctypes.c_void_p]":
    """Return the addresses of some contiguous tensors, as C takes them."""
    kind = ctypes.c_void_p * max(1, len(tensors))
    return kind(*(tensor.data_ptr() for tensor in tensors))
