"""A domain with all numbers known: kind, shape and bounds."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ebmlang.lang import ELEMENT_RANK, DomainKind
from ebmlang.source import Diagnostic, EbmError

CONTINUOUS = frozenset(
    {
        DomainKind.REAL,
        DomainKind.POSITIVE,
        DomainKind.SIMPLEX,
        DomainKind.UNIT,
        DomainKind.ROTATION,
        DomainKind.ORDERED,
    }
)
"""The kinds that solvers and samplers move through by gradients."""

ROTATION_SIZES = (2, 3)
"""Rotations whose exponential map has the closed form used here."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConcreteDomain:
    """Where one variable lives.

    Axes of `shape` before those of one element mean `array[...] of`: a domain of kind UNIT and
    shape (12, 3) holds twelve unit vectors.

    Attributes:
        kind: The kind of one element.
        shape: The whole shape.
        lower: Bounds from below, broadcast to the shape; `-inf` where there is none. Only for
            kind REAL.
        upper: Bounds from above, likewise; `inf` where there is none.

    >>> domain = ConcreteDomain(kind=DomainKind.UNIT, shape=(12, 3))
    >>> domain.size, domain.count, domain.element_size
    (36, 12, 3)
    """

    kind: DomainKind
    shape: tuple[int, ...]
    lower: npt.NDArray[np.float64] | None = None
    upper: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        _require_supported(self.kind, self.shape)
        assert self.kind is DomainKind.REAL or (self.lower is None and self.upper is None)
        object.__setattr__(self, "lower", _broadcast(self.lower, -math.inf, self.shape))
        object.__setattr__(self, "upper", _broadcast(self.upper, math.inf, self.shape))

    @property
    def element_shape(self) -> tuple[int, ...]:
        """The shape of one element; `()` for REAL and POSITIVE."""
        return self.shape[len(self.shape) - ELEMENT_RANK.get(self.kind, 0) :]

    @property
    def element_size(self) -> int:
        """How many numbers one element has."""
        return math.prod(self.element_shape)

    @property
    def size(self) -> int:
        """How many numbers the whole has."""
        return math.prod(self.shape)

    @property
    def count(self) -> int:
        """How many elements there are."""
        return self.size // self.element_size if self.element_size else 0


def _broadcast(
    bound: npt.NDArray[np.float64] | None, missing: float, shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    value = np.asarray(missing if bound is None else bound, dtype=np.float64)
    # broadcast_to gives a read-only view, which suits a frozen class.
    return np.broadcast_to(value, shape)


def _require_supported(kind: DomainKind, shape: tuple[int, ...]) -> None:
    if kind not in CONTINUOUS:
        raise EbmError(
            Diagnostic(
                code="E0312",
                headline=f"an unknown of the domain `{kind.value}` cannot be searched by gradients",
                helps=("use `real`, with bounds where it has any",),
            )
        )
    assert len(shape) >= ELEMENT_RANK.get(kind, 0)
    if kind is DomainKind.ROTATION:
        rows, columns = shape[-2:]
        assert rows == columns
        if rows not in ROTATION_SIZES:
            raise EbmError(
                Diagnostic(
                    code="E0312",
                    headline=f"`rotation[{rows}]` is not supported, only sizes 2 and 3 are",
                    helps=("use `rotation[2]` in the plane, `rotation[3]` in space",),
                )
            )
