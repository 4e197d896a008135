"""Sorts, stages and types: what the checker knows about a value."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeAlias

from ebmlang.lang.size import Dim

Shape: TypeAlias = tuple[Dim, ...]


class Sort(Enum):
    """What kind of thing a value is; the words are those of the language."""

    REAL = "real"
    INT = "int"
    BOOL = "bool"
    LABEL = "label"
    CONSTRAINT = "constraint"
    DENSITY = "density"
    ENERGY = "energy"


VALUES = frozenset({Sort.REAL, Sort.INT, Sort.BOOL, Sort.LABEL})
"""Sorts of ordinary values, which have a shape; the other three are always scalars."""

NUMBERS = frozenset({Sort.REAL, Sort.INT})
"""Sorts that arithmetic takes."""


class Stage(IntEnum):
    """When a value becomes known; a result is known as late as its latest operand."""

    CONSTANT = 0
    GIVEN = 1
    UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class Type:
    """Sort, shape and stage of a value.

    >>> str(Type(Sort.REAL, (2, 3)))
    'real[2, 3]'
    """

    sort: Sort
    shape: Shape = ()
    stage: Stage = Stage.CONSTANT

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __str__(self) -> str:
        if not self.shape:
            return self.sort.value
        return f"{self.sort.value}[{', '.join(str(dim) for dim in self.shape)}]"


class DomainKind(Enum):
    """Where an unknown lives; the words are those of the language."""

    REAL = "real"
    POSITIVE = "positive"
    SIMPLEX = "simplex"
    UNIT = "unit"
    ROTATION = "rotation"
    ORDERED = "ordered"
    INT = "int"
    BOOL = "bool"
    LABEL = "label"
    PERMUTATION = "permutation"


ELEMENT_RANK = {
    DomainKind.SIMPLEX: 1,
    DomainKind.UNIT: 1,
    DomainKind.ORDERED: 1,
    DomainKind.PERMUTATION: 1,
    DomainKind.ROTATION: 2,
}
"""How many trailing axes one element of a domain takes; the kinds left out take none."""
