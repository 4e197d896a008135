"""Emitted text becomes functions: it is executed once, as a module of its own."""

import itertools
import linecache
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, cast

from torch import Tensor

from ebmlang.graph import EnergyGraph
from ebmlang.lower.emit import Program
from ebmlang.lower.externs import guard_extern

Extern: TypeAlias = Callable[..., Tensor]
"""A function from Python: arrays with leading axes to an array behind the same ones."""

COMPILATIONS: Counter[str] = Counter()
"""How often each kind of compiling has happened in this process: `graph`, `trace`, `gradient`."""

_numbers = itertools.count(1)


class Functions(Protocol):
    """The functions of emitted code, as `emit` describes them."""

    # Any: tuples of tensors and a callback, in positions fixed by `emit`.
    prepare: Callable[..., tuple[Tensor, ...]]
    bounds: Callable[..., tuple[Tensor, ...]]
    total: Callable[[Tensor, Any], Tensor]
    terms: Callable[[Tensor, Any], tuple[Tensor, Tensor]]
    requirements: Callable[[Tensor, Any], Tensor]
    reports: Callable[[Tensor, Any], tuple[Tensor, ...]]
    trace: Callable[[Tensor, Any], tuple[Tensor, ...]]
    value_and_gradient: Callable[[Tensor, Any], tuple[Tensor, Tensor]]


def execute(program: Program, externs: list[Extern]) -> Functions:
    """Run emitted text as a module and return its functions."""
    filename = f"<ebmlang energy {next(_numbers)}>"
    lines = program.text.splitlines(keepends=True)
    # So that tracebacks and debuggers can show the emitted lines.
    linecache.cache[filename] = (len(program.text), None, lines, filename)
    names: dict[str, Any] = {"f": tuple(externs)}  # Any: the globals of a module
    exec(compile(program.text, filename, "exec"), names)
    return cast(Functions, _Namespace(names))


def guard_externs(graph: EnergyGraph, program: Program, externs: list[Extern]) -> list[Extern]:
    """Return the functions of a program, each of which names its terms where it fails."""
    return [
        guard_extern(extern, name, graph)
        for name, extern in zip(program.externs, externs, strict=True)
    ]


class _Namespace:
    def __init__(self, names: Mapping[str, object]) -> None:
        self.__dict__.update(names)
