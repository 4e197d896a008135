"""An objective as machine code, and how its functions are called on tensors.

A function gets a job (which starts, how many steps, what does not change on the way), and states as
structures of pointers to arrays with the start in front. What a call returns is new; what it
was given stays as it is.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.lower.native.build import Library
from ebmlang.spaces import SolvingChart

Columns: TypeAlias = Mapping[str, Tensor]
"""Data by row: path to one value per start."""


class _Job(ctypes.Structure):
    """`job` in `blocks.c`."""

    _fields_ = (
        ("count", ctypes.c_int64),
        ("which", ctypes.c_void_p),
        ("steps", ctypes.c_int64),
        ("shared", ctypes.c_void_p),
        ("rows", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in ("order", "shift", "scale")),
        *((name, ctypes.c_void_p) for name in ("lower", "upper", "floor", "ceiling")),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """An objective over boxes as machine code.

    Attributes:
        library: The loops around it.
        dtype: What its reals are.
        shared: The arrays that it reads, whatever the start.
        rows: The paths of the data by row that it reads, in its order.
    """

    library: Library
    dtype: torch.dtype
    shared: tuple[Tensor, ...]
    rows: tuple[str, ...]

    def evaluate(
        self, chart: SolvingChart, columns: Columns, y: Float[Tensor, "start dim"]
    ) -> tuple[Float[Tensor, " start"], Float[Tensor, "start dim"]]:
        """Return value and gradient by solver's coordinates; `inf` and 0 where not finite."""
        y = y.detach().contiguous()
        value, gradient = torch.empty_like(y[:, 0]), torch.empty_like(y)
        everyone = torch.arange(len(y))
        self.run(
            "evaluate_starts", chart, columns, everyone, 0, [point_to(y, value, gradient)]
        )
        return value, gradient

    def run(
        self,
        name: str,
        chart: SolvingChart,
        columns: Columns,
        which: Int[Tensor, " _"],
        steps: int,
        arguments: Sequence[Any],
    ) -> None:
        """Call a function by its name.

        Args:
            name: What it is called in the text.
            chart: The coordinates.
            columns: The data by row.
            which: The starts that take part.
            steps: How many steps they take.
            arguments: What follows the job. Any: as ctypes takes them.
        """
        rows = [columns[path].to(self.dtype).contiguous() for path in self.rows]
        dim = chart.lower.shape[0]
        order = torch.arange(dim) if chart.order is None else chart.order.contiguous()
        ends = (chart.shift, chart.scale, chart.lower, chart.upper, chart.floor, chart.ceiling)
        job = _Job(
            len(which),
            which.data_ptr(),
            steps,
            ctypes.cast(point_to(*self.shared), ctypes.c_void_p),
            ctypes.cast(point_to(*rows), ctypes.c_void_p),
            order.data_ptr(),
            *(end.contiguous().data_ptr() for end in ends),
        )
        done = self.library.handle[name](ctypes.byref(job), *arguments)
        if not done:
            raise MemoryError


def point_to(*tensors: Tensor) -> "ctypes.Array[ctypes.c_void_p]":
    """Return the addresses of some contiguous tensors, as C takes them."""
    kind = ctypes.c_void_p * max(1, len(tensors))
    return kind(*(tensor.data_ptr() for tensor in tensors))
