"""The vocabulary of the language as plain data: types, sizes, operators, words."""

from ebmlang.lang.size import Dim, Size, evaluate_dim
from ebmlang.lang.types import (
    ELEMENT_RANK,
    NUMBERS,
    VALUES,
    DomainKind,
    Shape,
    Sort,
    Stage,
    Type,
)

__all__ = [
    "ELEMENT_RANK",
    "NUMBERS",
    "VALUES",
    "Dim",
    "DomainKind",
    "Shape",
    "Size",
    "Sort",
    "Stage",
    "Type",
    "evaluate_dim",
]
