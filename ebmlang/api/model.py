"""A checked spec, and the verbs on it, in the order in which one uses them.

    model = ebmlang.load("desk.ebm")
    found = model.solve(seed=1)
    found[0].variables["lamp"]

Each verb is a file beside this one. Nothing imports torch before something is computed.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from ebmlang.api.bound_spec import BoundSpec
from ebmlang.api.inputs import Data, Point
from ebmlang.source import Diagnostic

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ebmlang.analysis import GraphFacts
    from ebmlang.api.explain_point import PointLike
    from ebmlang.api.run_files import RunLike
    from ebmlang.lower.module import CompiledEnergy, TermValues
    from ebmlang.runs import Design, Designs, Samples
    from ebmlang.runs.answers import Answers
    from ebmlang.runs.conflict import Conflicting, Satisfiable
    from ebmlang.runs.explanation import Explanation
    from ebmlang.runs.front import Front
    from ebmlang.runs.idle import IdleTerms
    from ebmlang.runs.repair import Repair
    from ebmlang.runs.sensitivity import Sensitivity
    from ebmlang.runtime import Progress


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model(BoundSpec):
    """A checked spec with its verbs; what it holds is in `BoundSpec`."""

    # --- looking ---------------------------------------------------------------------

    def interface(self) -> dict[str, Any]:
        """Return what goes in and out: inputs, sizes, variables, terms, reports.

        Plain data for JSON, so Any.
        """
        from ebmlang.api.interface import describe_interface

        return describe_interface(self.program)

    def analyze(
        self, data: Data = None, weights: Mapping[str, float] | None = None
    ) -> "GraphFacts | None":
        """Return what can be proved before anything runs: bounds, curvature, propriety, the plan.

        None where data that is missing decides the size of an array.
        """
        from ebmlang.api.facts import find_facts

        return find_facts(self.bind(data, weights))

    def check(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        pedantic: bool = False,
    ) -> tuple[Diagnostic, ...]:
        """Return all messages about the spec with the data that there is.

        Args:
            data: Bound in addition to what is bound.
            weights: Likewise.
            pedantic: Whether advice on tolerances and scales is wanted, and on what is unproven.
        """
        from ebmlang.api.check import check_model

        return check_model(self.bind(data, weights), pedantic=pedantic)

    def format(self) -> str:
        """Return the text of the spec as the formatter lays it out."""
        from ebmlang.syntax import format_file

        return format_file(self.file)

    def graph(self, stage: str = "graph", data: Data = None) -> str:
        """Return a printable form of the spec on its way to code.

        Args:
            stage: `ast`, `typed`, `graph`, `optimized` or `code`.
            data: Needed from `graph` on where the data binds sizes.
        """
        from ebmlang.api.stages import show_stage

        return show_stage(self.bind(data), stage)

    # --- computing -------------------------------------------------------------------

    def compile(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        dtype: "torch.dtype | None" = None,
        device: str = "cpu",
    ) -> "CompiledEnergy":
        """Return the energy as a `torch.nn.Module`, bound to data and weights.

        Args:
            data: Bound in addition to what is bound.
            weights: Likewise.
            dtype: float64 where it is None.
            device: `cpu`, `cuda`, or `auto`.
        """
        from ebmlang.api.compile import compile_model

        return compile_model(self.bind(data, weights), dtype=dtype, device=device)

    def energy(
        self,
        point: Point,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
    ) -> "Tensor":
        """Return the energy of a point, or of a batch of points [nats].

        It is `inf` where something required does not hold; whether a point lies in the domains of
        its variables is not looked at. It is differentiable where the point
        is made of tensors that are.
        """
        from ebmlang.api.evaluate import compute_energy

        return compute_energy(self.bind(data, weights), point)

    def terms(
        self,
        point: Point,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
    ) -> "TermValues":
        """Return energies, margins and truth of the terms, by path, at a point or a batch."""
        from ebmlang.api.evaluate import compute_terms

        return compute_terms(self.bind(data, weights), point)

    def explain(
        self,
        point: Point,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
    ) -> "Design":
        """Return one point with all that the terms and reports say of it."""
        from ebmlang.api.evaluate import explain_point

        return explain_point(self.bind(data, weights), point)

    def take_apart(
        self,
        point: "PointLike",
        data: Data = None,
        weights: Mapping[str, float] | None = None,
    ) -> "Explanation":
        """Return what each term, and each part of it, answers for at one point."""
        from ebmlang.api.explain_point import explain_at

        return explain_at(self.bind(data, weights), point)

    def take_run_apart(
        self, run: "RunLike", data: Data = None, weights: Mapping[str, float] | None = None
    ) -> "Explanation":
        """Return the same on average over a run: what `sample` or `solve` returned, or its file."""
        from ebmlang.api.explain_point import explain_run

        return explain_run(self.bind(data, weights), run)

    def find_idle(
        self, run: "RunLike", data: Data = None, weights: Mapping[str, float] | None = None
    ) -> "IdleTerms":
        """Return the terms, and the branches of terms, that never act on a run."""
        from ebmlang.api.vacuous import find_idle

        return find_idle(self.bind(data, weights), run)

    def find_conflict(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        starts: int = 64,
        seed: int = 0,
    ) -> "Conflicting | Satisfiable":
        """Return a smallest set of requirements that cannot hold together, or a point where all do.

        Args:
            data: Bound in addition to what is bound.
            weights: Likewise.
            starts: Of each search for a point where some hold.
            seed: Of all searches.
        """
        from ebmlang.api.conflict import explain_conflict

        return explain_conflict(self.bind(data, weights), seed=seed, starts=starts)

    def find_repair(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        starts: int = 64,
        seed: int = 0,
    ) -> "Repair | Satisfiable":
        """Return the smallest changes that make everything required possible.

        Args:
            data: Bound in addition to what is bound.
            weights: Likewise.
            starts: Of each search for a point where some hold.
            seed: Of all searches.
        """
        from ebmlang.api.repair import explain_repair

        return explain_repair(self.bind(data, weights), seed=seed, starts=starts)

    def solve(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        designs: int = 10,
        starts: int | None = None,
        effort: str = "normal",
        method: str | None = None,
        diverse: bool = False,
        band: float | None = None,
        slack: float | None = None,
        seed: int = 0,
        seconds: float | None = None,
        dtype: "torch.dtype | None" = None,
        device: str = "auto",
        progress: "Progress | None" = None,
    ) -> "Designs":
        """Search for points of low energy that hold every requirement.

        Args:
            data: Bound in addition to what is bound.
            weights: Likewise.
            designs: Most designs to keep.
            starts: How many searches run, as one batch, in a round; 128 if None.
            effort: How many rounds there are: `quick` for one, `normal` until one of them finds the
                best energy more than once, `thorough` until three in a row do.
            method: The way of solving, by its name in `ebmlang.analysis.solving`; chosen by what
                is known of the spec if None.
            diverse: Whether to keep designs that are far from each other, instead of the best;
                there are then at least 8 starts for each that is wanted.
            band: How much worse than the best a diverse design may be [nats]; 0.5 if None.
            slack: What a tier of a `priority` may cost those before it [nats]; 0.001 if None.
            seed: Chooses where they start.
            seconds: Limit on the time [s].
            dtype: float64 where it is None.
            device: `cpu`, `cuda`, or `auto`.
            progress: Hears how far the run is.
        """
        from ebmlang.api.solve import solve_model

        return solve_model(
            self.bind(data, weights),
            designs=designs,
            starts=starts,
            effort=effort,
            method=method,
            diverse=diverse,
            band=band,
            slack=slack,
            seed=seed,
            seconds=seconds,
            dtype=dtype,
            device=device,
            progress=progress,
        )

    def solve_each(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        starts: int = 8,
        seed: int = 0,
        seconds: float | None = None,
        dtype: "torch.dtype | None" = None,
        device: str = "auto",
        out: str | os.PathLike[str] | None = None,
        progress: "Progress | None" = None,
    ) -> "Answers":
        """Search for the best design of each of many problems, as batches: one per row of data.

        Args:
            data: Bound in addition to what is bound. What has one axis more than its given has a
                row for each problem in front; the rest is shared by all.
            weights: Bound likewise, for all rows.
            starts: How many searches each row has.
            seed: Chooses where they start: in each row where `solve` would start.
            seconds: Limit on the time [s].
            dtype: float64 where it is None.
            device: `cpu`, `cuda`, or `auto`.
            out: A table `NAME.csv` that grows as rows are solved, or an archive `NAME.npz`.
            progress: Hears how far the run is.
        """
        from ebmlang.api.solve_each import solve_each_model

        return solve_each_model(
            self.bind(data, weights),
            starts=starts,
            seed=seed,
            seconds=seconds,
            dtype=dtype,
            device=device,
            out=None if out is None else Path(out),
            progress=progress,
        )

    def pareto(
        self,
        terms: Sequence[str],
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        designs: int = 20,
        starts: int = 128,
        seed: int = 0,
        seconds: float | None = None,
        dtype: "torch.dtype | None" = None,
        device: str = "auto",
        progress: "Progress | None" = None,
    ) -> "Front":
        """Search for designs along the front of two or three terms, by path; see `solve`."""
        from ebmlang.api.pareto import find_pareto_front

        return find_pareto_front(
            self.bind(data, weights),
            terms,
            designs=designs,
            starts=starts,
            seed=seed,
            seconds=seconds,
            dtype=dtype,
            device=device,
            progress=progress,
        )

    def sensitivity(
        self,
        point: Point,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
    ) -> "Sensitivity":
        """Return how the lowest energy moves with each input, weight, bound and requirement.

        Args:
            point: A design that a search ended at, such as `solve()[0].variables`.
            data: Bound in addition to what is bound.
            weights: Likewise.
        """
        from ebmlang.api.sensitivity import find_sensitivity

        return find_sensitivity(self.bind(data, weights), point)

    def sample(
        self,
        data: Data = None,
        weights: Mapping[str, float] | None = None,
        *,
        chains: int = 16,
        draws: int = 500,
        warmup: int = 500,
        thin: int = 1,
        method: str | None = None,
        seed: int = 0,
        seconds: float | None = None,
        precision: str = "float64",
        device: str = "auto",
        out: str | os.PathLike[str] | None = None,
        progress: "Progress | None" = None,
    ) -> "Samples":
        """Draw points from exp(-E), under every requirement.

        Args:
            data: Bound in addition to what is bound.
            weights: Likewise.
            chains: How many run, as one batch.
            draws: Points kept of each chain.
            warmup: Iterations of each chain that adapt and are not kept.
            thin: Iterations per point kept.
            method: The sampler, by its name in `ebmlang.sample.methods`; chosen by what is known
                of the spec if None.
            seed: Of all random numbers.
            seconds: Limit on the time [s].
            precision: `float32`, `float64`, or `mixed`: chains move in float32, and energies are
                compared in float64.
            device: `cpu`, `cuda`, or `auto`.
            out: A folder `NAME.run` to which the run is written as it goes; `resume` goes on with
                it after its end, whatever ended it. Kept in memory if None.
            progress: Hears how far the run is.
        """
        from ebmlang.api.sample import sample_model

        return sample_model(
            self.bind(data, weights),
            chains=chains,
            draws=draws,
            warmup=warmup,
            thin=thin,
            method=method,
            seed=seed,
            seconds=seconds,
            precision=precision,
            device=device,
            out=None if out is None else Path(out),
            progress=progress,
        )

    def resume(
        self,
        run: str | os.PathLike[str],
        *,
        draws: int | None = None,
        seconds: float | None = None,
        device: str = "auto",
        progress: "Progress | None" = None,
    ) -> "Samples":
        """Go on with a run of this model, data and weights, as if it had never been stopped.

        Args:
            run: The folder that `sample` was given as `out`.
            draws: Points of each chain in the end; as many as were asked for if None.
            seconds: Limit on the time [s].
            device: `cpu`, `cuda`, or `auto`.
            progress: Hears how far the run is.
        """
        from ebmlang.api.resume import resume_run

        return resume_run(
            Path(run), model=self, draws=draws, seconds=seconds, device=device, progress=progress
        )
