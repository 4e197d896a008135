"""All operators of the language, by name. Adding one: see CONTRIBUTING.md."""

from collections.abc import Mapping
from types import MappingProxyType

from ebmlang.lang.adjoints import ADJOINTS
from ebmlang.lang.arrays import CORE, STRUCTURAL
from ebmlang.lang.elementwise import ELEMENTWISE
from ebmlang.lang.operator import Operator
from ebmlang.lang.reductions import REDUCTIONS

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {op.name: op for op in (*ELEMENTWISE, *REDUCTIONS, *CORE, *STRUCTURAL, *ADJOINTS)}
)
"""Operator by name."""
