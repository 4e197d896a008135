"""All facts of one graph, each computed when first asked for."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ebmlang.analysis.framework import Derived, Inputs
from ebmlang.graph import EnergyGraph
from ebmlang.lang.facts import Curvature, Slope
from ebmlang.lang.interval import Interval

if TYPE_CHECKING:
    from ebmlang.analysis.branches import Branch
    from ebmlang.analysis.dependence import Block
    from ebmlang.analysis.smoothness import Regularity
    from ebmlang.analysis.verdict import Propriety


@dataclass(frozen=True, eq=False)
class GraphFacts:
    """A graph, what is known of its inputs, and what follows.

    The graph is that of `ebmlang.passes.ANALYZED`: real arrays only, roots of densities kept.
    Facts stand by node number.
    """

    graph: EnergyGraph
    inputs: Inputs = field(default_factory=Inputs)

    @cached_property
    def bounds(self) -> tuple[Derived[Interval], ...]:
        """What each node's elements lie between, over the whole domain of the variables."""
        from ebmlang.analysis.bounds import infer_bounds

        return infer_bounds(self.graph, self.inputs)

    @cached_property
    def slopes(self) -> "tuple[Derived[dict[str, Slope]], ...]":
        """How each node moves with each variable that it depends on, by path."""
        from ebmlang.analysis.monotonicity import infer_slopes

        return infer_slopes(self)

    @cached_property
    def curvature(self) -> tuple[Derived[Curvature], ...]:
        """How each node bends in all variables jointly, over their domain."""
        from ebmlang.analysis.curvature import infer_curvature

        return infer_curvature(self)

    @cached_property
    def smoothness(self) -> "tuple[Derived[Regularity], ...]":
        """How often each node is differentiable, and where its kinks are."""
        from ebmlang.analysis.smoothness import infer_smoothness

        return infer_smoothness(self)

    @cached_property
    def dependence(self) -> tuple[Derived[frozenset[str]], ...]:
        """The paths of the variables that each node depends on."""
        from ebmlang.analysis.dependence import infer_dependence

        return infer_dependence(self)

    @cached_property
    def blocks(self) -> "tuple[Block, ...]":
        """The independent parts of the energy, requirements included."""
        from ebmlang.analysis.dependence import find_blocks

        return find_blocks(self)

    @cached_property
    def branches(self) -> "tuple[Branch, ...]":
        """What E opens up into where it has an OR of densities at its top."""
        from ebmlang.analysis.branches import find_branches

        return find_branches(self)

    @cached_property
    def propriety(self) -> "Propriety":
        """Whether E is bounded below, has a minimizer, and exp(-E) a finite integral."""
        from ebmlang.analysis.propriety import judge_propriety

        return judge_propriety(self)
