"""A checked spec with the data and weights bound to it: what all verbs on it work from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from ebmlang.api.data_files import Array, merge_data
from ebmlang.api.inputs import Data, Extern
from ebmlang.api.origin import Origin
from ebmlang.check import Program
from ebmlang.graph import EnergyGraph
from ebmlang.source import Diagnostic
from ebmlang.syntax import tree

if TYPE_CHECKING:
    from ebmlang.analysis import GraphFacts
    from ebmlang.lower.module import CompiledEnergy
    from ebmlang.runs.integral import Integral


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundSpec:
    """A checked spec, with the data and weights bound to it so far.

    Attributes:
        file: Its tree.
        program: The same with every name and type known.
        origin: The texts and constants it was made of.
        diagnostics: Warnings about it.
        externs: The functions from Python that it calls.
        data: Values bound to givens.
        weights: Weights that stand in for those written, by path.
        graphs: Graphs built so far, by stage and the sizes that data has bound.
        modules: Energies compiled so far, by sizes, dtype and device.
        proofs: The facts for the latest data and weights, by these.
        integrals: What `normalize` has been estimated to add, by content.
        accept_unreliable: Whether estimates that cannot be relied on are used all the same.
        rows: Givens that data binds to one value for each of many problems, with the problems as
            its first axis.

    `graphs`, `modules`, `proofs` and `integrals` are caches, shared by all models that `bind` makes
    of one: binding other data, weights or seeds never compiles again.
    """

    file: tree.File
    program: Program
    origin: Origin
    diagnostics: tuple[Diagnostic, ...] = ()
    externs: Mapping[str, Extern] = field(default_factory=lambda: MappingProxyType({}))
    data: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    graphs: dict[tuple[object, ...], EnergyGraph] = field(default_factory=dict, repr=False)
    modules: "dict[tuple[object, ...], CompiledEnergy]" = field(default_factory=dict, repr=False)
    proofs: "dict[tuple[object, ...], GraphFacts]" = field(default_factory=dict, repr=False)
    integrals: "dict[str, Integral]" = field(default_factory=dict, repr=False)
    accept_unreliable: bool = False
    rows: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name of its file, without the ending."""
        return self.program.name

    def bind(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        accept_unreliable: bool = False,
    ) -> Self:
        """Return the model with data and weights bound, beside those bound before.

        Nothing is checked until something is computed.

        Args:
            data: By path, or files that hold them.
            weights: By path.
            accept_unreliable: Whether what `normalize` adds may be an estimate that cannot be
                relied on, from now on.
        """
        return replace(
            self,
            data={**self.data, **merge_data(data)},
            weights={**self.weights, **(weights or {})},
            accept_unreliable=self.accept_unreliable or accept_unreliable,
        )
