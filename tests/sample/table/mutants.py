"""Samplers with a bug, put in on purpose, that the table must see."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TABLE = "tests/sample/table"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A bug.

    Attributes:
        bug: What is wrong, in words.
        file: Where, in the package.
        old: Text that is there once.
        new: What takes its place.
        tests: Those of the table that look at this; one of them must fail.
    """

    bug: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def in_machine_code(self) -> bool:
        """Whether it is in the loops in C, and so in the table of that tier."""
        return self.file.endswith(".h")

    @property
    def module(self) -> str:
        """The name of the module that has the bug, or that reads the text that has it."""
        if self.in_machine_code:
            return "ebmlang.sample.native.loops"
        return ".".join(("ebmlang", *Path(self.file).with_suffix("").parts))

    def infect(self, text: str) -> str:
        """Return the module's text with the bug in it.

        Raises:
            ValueError: The text is not there once, so the mutant has to be written anew.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.bug}: not once in {self.file}: {self.old!r}")
        return text.replace(self.old, self.new)


def exact(kernel: str, *laws: str) -> tuple[str, ...]:
    """Name the tests that exact draws stay exact."""
    return _named("test_invariance.py::test_exact_draws_stay_exact", kernel, laws)


def own(test: str, kernel: str, *laws: str) -> tuple[str, ...]:
    """Name tests that chains are their own."""
    return _named(f"test_independence.py::{test}", kernel, laws)


def _named(test: str, kernel: str, laws: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{TABLE}/{test}[{kernel} on {law}]" for law in laws)


def _hmc() -> Iterator[Mutant]:
    file = "sample/kernels/hmc.py"
    judge, accept = "sample/kernels/acceptance.py", "accepted=uniform < acceptance,"
    yield Mutant(
        bug="no acceptance step",
        file=judge,
        old=accept,
        new="accepted=torch.ones_like(infeasible),",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="one acceptance for the whole batch",
        file=judge,
        old=accept,
        new="accepted=(uniform[:1] < acceptance.mean()).expand(len(uniform)),",
        tests=exact("hmc", "normal")
        + own("test_a_chain_elsewhere_changes_no_other", "hmc", "gamma"),
    )
    yield Mutant(
        bug="no kinetic energy in the acceptance ratio",
        file="sample/integrator.py",
        old="started, ended = speeds",
        new="started, ended = speeds[0], speeds[0]",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="the step size depends on the state",
        file=file,
        old="step_size = self.step_size.reshape(-1, 1) * jitter",
        new="step_size = self.step_size * position.norm(dim=1, keepdim=True) * jitter",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="the momentum is not drawn anew",
        file=file,
        old='normal = noise.normal("momentum", position.shape[1])',
        new="normal = state.momentum",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="the position moves on, the density there does not",
        file=file,
        old="replace(state, position=end, evaluation=after)",
        new="replace(state, position=end)",
        tests=_named("test_invariance.py::test_chains_move", "hmc", ("normal",)),
    )


def _flow() -> Iterator[Mutant]:
    yield Mutant(
        bug="the acceptance ratio is inverted",
        file="sample/integrator.py",
        old="(-gain).clamp_(max=0.0).exp_()",
        new="gain.clamp(max=0.0).exp_()",
        tests=exact("hmc", "normal"),
    )
    yield Mutant(
        bug="not a number is repaired",
        file="sample/integrator.py",
        old="return gain.addcmul_(gain, nothing).add_(probe)",
        new="return gain.nan_to_num()",
        tests=exact("hmc", "normal where the energy is a number"),
    )
    yield Mutant(
        bug="the last kick is whole, not half",
        file="sample/integrator.py",
        old="share = 1.0 if remaining else 0.5",
        new="share = 1.0 if remaining + 1 else 0.5",
        tests=(f"{TABLE}/test_integrators.py::test_going_back_leads_to_the_start",),
    )
    yield Mutant(
        bug="the first half kick is missing",
        file="sample/integrator.py",
        old="pace.kick(momentum, evaluation.gradient, 0.5)",
        new="pace.kick(momentum, evaluation.gradient, 0.0)",
        tests=(f"{TABLE}/test_integrators.py::test_going_back_leads_to_the_start",),
    )
    yield Mutant(
        bug="positions are changed in place",
        file="spaces/sampling.py",
        old="end = torch.addcmul(q, time, p)",
        new="end = q.addcmul_(time, p)",
        tests=(
            *exact("hmc", "normal"),
            f"{TABLE}/test_independence.py::test_a_step_changes_nothing_that_it_was_given[hmc]",
        ),
    )
    yield Mutant(
        bug="momenta are not tangent",
        file="spaces/sampling.py",
        old="p[:, columns] = along(at, momentum).flatten(1)",
        new="p[:, columns] = momentum.flatten(1)",
        tests=exact("hmc", "von mises-fisher", "matrix fisher in space"),
    )
    yield Mutant(
        bug="the metric's factor is transposed in the force",
        file="sample/metric.py",
        old="lambda part, i: part @ self.factor[i])",
        new="lambda part, i: part @ self.factor[i].T)",
        tests=(
            f"{TABLE}/test_integrators.py::"
            "test_the_error_of_the_energy_falls_with_the_square_of_the_step[gamma in dense]",
        ),
    )


def _density() -> Iterator[Mutant]:
    file = "sample/density.py"
    yield Mutant(
        bug="no log-Jacobian in the potential",
        file=file,
        old="return energy - (after.log_jacobian.double() - before.log_jacobian.double())",
        new="return energy",
        tests=exact("hmc", "gamma", "dirichlet"),
    )
    yield Mutant(
        bug="the Jacobian is in the energy that is reported",
        file=file,
        old="""            energy=energy,
            log_jacobian=log_jacobian,
""",
        new="""            energy=energy - log_jacobian,
            log_jacobian=torch.zeros_like(log_jacobian),
""",
        tests=_named(
            "test_invariance.py::test_the_energy_that_is_reported_is_the_one_that_was_written",
            "hmc",
            ("gamma",),
        ),
    )
    yield Mutant(
        bug="the energy is clamped",
        file=file,
        old="energy, slope = evaluate_gradient(self.target, x)\n",
        new="energy, slope = evaluate_gradient(self.target, x)\n"
        "        energy, slope = energy.clamp(max=1e6), slope * (energy < 1e6)[:, None]\n",
        tests=(
            f"{TABLE}/test_equivariance.py::"
            "test_a_large_constant_in_the_energy_changes_no_draw[hmc]",
        ),
    )
    yield Mutant(
        bug="what is required is ignored",
        file=file,
        old="return (self.target.requirements(evaluation.point) >= 0).all(1)",
        new="return (self.target.requirements(evaluation.point) >= -torch.inf).all(1)",
        tests=exact("hmc", "uniform in a disc"),
    )
    yield Mutant(
        bug="the energy is not tempered in the acceptance ratio",
        file=file,
        old="return beta * self.plain.gain(before, after) + (1 - beta) * rise",
        new="return self.plain.gain(before, after) + (1 - beta) * rise",
        tests=exact("hmc", "tempered gamma"),
    )
    yield Mutant(
        bug="the reference has the temperature of the energy",
        file=file,
        old="return beta * self.plain.gain(before, after) + (1 - beta) * rise",
        new="return beta * (self.plain.gain(before, after) + 1.5 * rise)",
        tests=exact("hmc", "tempered gamma"),
    )


def _streams() -> Iterator[Mutant]:
    file = "sample/streams.py"
    yield Mutant(
        bug="all chains share one random stream",
        file=file,
        old="(numbers & MASK)[:, None],",
        new="torch.zeros_like(numbers)[:, None],",
        tests=own("test_chains_from_one_point_go_different_ways", "hmc", "gamma"),
    )
    yield Mutant(
        bug="a chain's numbers depend on its place in the batch",
        file=file,
        old="(numbers & MASK)[:, None],",
        new="torch.arange(len(numbers), device=numbers.device)[:, None],",
        tests=own("test_any_split_of_the_batch_gives_the_same_draws", "hmc", "gamma"),
    )
    yield Mutant(
        bug="momenta have the wrong variance",
        file=file,
        old="radius = _scale(pair[0], 1.0).log_().mul_(-2.0).sqrt_()",
        new="radius = _scale(pair[0], 1.0).log_().mul_(-1.8).sqrt_()",
        tests=exact("hmc", "normal"),
    )


def _others() -> Iterator[Mutant]:
    generalized = "sample/kernels/generalized.py"
    yield Mutant(
        bug="the momentum is not turned around after a rejection",
        file=generalized,
        old="momentum=-momentum",
        new="momentum=momentum",
        tests=exact("generalized", "normal", "gamma"),
    )
    yield Mutant(
        bug="the level of acceptance stays as it is along a trajectory",
        file=generalized,
        old="level=level * gain.exp()",
        new="level=level",
        tests=exact("generalized", "normal", "gamma"),
    )
    yield Mutant(
        bug="the renewed momentum is too short",
        file=generalized,
        old="(1 - renewal).sqrt() * state.momentum",
        new="(1 - renewal) * state.momentum",
        tests=exact("generalized", "normal"),
    )
    slice_file = "sample/kernels/slice.py"
    yield Mutant(
        bug="the first point of the bracket is taken, inside or not",
        file=slice_file,
        old="""        state = choose(~found & sight.inside, following, state)
        found = found | sight.inside
""",
        new="""        state = choose(~found, following, state)
        found = torch.ones_like(found)
""",
        tests=exact("slice", "normal"),
    )
    yield Mutant(
        bug="the height of a slice is drawn wrongly",
        file=slice_file,
        old='height=-noise.uniform("height")[:, 0].log()',
        new='height=-1.5 * noise.uniform("height")[:, 0].log()',
        tests=exact("slice", "exponential", "gamma"),
    )
    yield Mutant(
        bug="a slice takes the ends of what is required with it",
        file=slice_file,
        old="inside=finite & feasible & (gain < self.height)",
        new="inside=finite & (gain < self.height)",
        tests=exact("slice", "uniform in a disc"),
    )
    yield Mutant(
        bug="all points of a trajectory weigh the same",
        file="sample/kernels/nuts.py",
        old="log_weight = torch.where(feasible & ~rise.isnan(), -rise, -torch.inf)",
        new="log_weight = torch.where(feasible & ~rise.isnan(), 0 * rise, -torch.inf)",
        tests=exact("nuts", "normal", "gamma"),
    )
    yield Mutant(
        bug="a half of the trajectory is preferred without its weight",
        file="sample/kernels/nuts.py",
        old="swapped = growing & (swaps[:, doubling] < grown.log_weight - tree.log_weight)",
        new="swapped = growing & torch.isfinite(grown.log_weight)",
        tests=exact("nuts", "normal", "gamma"),
    )
    yield Mutant(
        bug="a bounce changes the length of the momentum",
        file="sample/kernels/reflection.py",
        old="normal = normal / length",
        new="normal = normal / length * 0.8",
        tests=exact("reflection", "uniform in a disc", "normal where something is required"),
    )
    yield Mutant(
        bug="many steps are taken at once though a chain would have stayed",
        file="sample/kernels/langevin.py",
        old="if not bool(info.accepted.all()):",
        new="if not bool(info.accepted.any()):",
        tests=(
            "tests/sample/kernels/test_langevin.py::test_a_stride_ends_where_a_chain_would_stay",
        ),
    )
    yield Mutant(
        bug="draws are one iteration early where many steps are taken at once",
        file="sample/walking.py",
        old="stride.visited[thin - place % thin : size : thin]",
        new="stride.visited[thin - place % thin - 1 : size - 1 : thin]",
        tests=("tests/sample/test_collector.py::test_draws_do_not_depend_on_strides",),
    )
    yield Mutant(
        bug="the gradient step is not corrected",
        file="sample/kernels/langevin.py",
        old="return choose(info.accepted, proposed, state), info",
        new="return choose(torch.isfinite(info.acceptance), proposed, state), info",
        tests=exact("langevin", "normal"),
    )
    yield Mutant(
        bug="the kernel of a mixture is picked by the state",
        file="sample/kernels/combine.py",
        old='place = noise.shared("kernel") * sum(self.shares)',
        new="place = float(state.position[0, 0].sigmoid()) * sum(self.shares)",
        tests=own(
            "test_any_split_of_the_batch_gives_the_same_draws", "mixture", "correlated normal"
        ),
    )
    yield Mutant(
        bug="the volume of a map is left out",
        file="sample/warp.py",
        old="return replace(plain, log_jacobian=plain.log_jacobian + volume, gradient=slope)",
        new="return replace(plain, log_jacobian=plain.log_jacobian + 0 * volume, gradient=slope)",
        tests=exact("warped", "correlated normal"),
    )
    yield Mutant(
        bug="the adaptation is not frozen",
        file="sample/samplers/windowed.py",
        old="return replace(state, chains=chains), info",
        new="return replace(state, chains=chains, step_size=0.9 * state.step_size), info",
        tests=(f"{TABLE}/test_adaptation.py::test_nothing_is_learnt_after_the_warm_up[hmc]",),
    )
    yield Mutant(
        bug="the warm-up goes on while drawing",
        file="sample/loop.py",
        old="state, info = run.sampler.step(run.setting, state, noise)",
        new="phase = Phase(iteration=1, warmup=1)\n"
        "        state, info = run.sampler.adapt(run.setting, state, noise, phase)",
        tests=(f"{TABLE}/test_adaptation.py::test_a_run_adapts_freezes_once_and_draws[tempering]",),
    )
    yield Mutant(
        bug="the warm-up goes on while one kernel draws",
        file="sample/loop.py",
        old="    chains = walk(",
        new="    phase, noise = Phase(iteration=1, warmup=1), run.setting.streams.at(iteration)\n"
        "    state, _ = run.sampler.adapt(run.setting, state, noise, phase)\n"
        "    chains = walk(",
        tests=(f"{TABLE}/test_adaptation.py::test_a_run_adapts_freezes_once_and_draws[hmc]",),
    )


def _in_machine_code() -> Iterator[Mutant]:
    """The same kinds of bugs in the loops in C, and one that has been there."""
    moves, nuts = "sample/native/moves.h", "sample/native/nuts.h"
    yield Mutant(
        bug="in C: no acceptance step",
        file=moves,
        old="accepted[l] = -(narrow_int)(uniform[l] < share[l]);",
        new="accepted[l] = -1;",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="in C: one acceptance for the whole block",
        file=moves,
        old="accepted[l] = -(narrow_int)(uniform[l] < share[l]);",
        new="accepted[l] = -(narrow_int)(uniform[0] < share[0]);",
        tests=exact("hmc", "normal")
        + own("test_a_chain_elsewhere_changes_no_other", "hmc", "gamma"),
    )
    yield Mutant(
        bug="in C: no kinetic energy in the acceptance ratio",
        file=moves,
        old="find_rise(here, there, before, after)",
        new="find_rise(here, there, before, before)",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="in C: the last kick is whole, not half",
        file=moves,
        old="kick(f, b, there->slope, half);",
        new="kick(f, b, there->slope, c->step_size);",
        tests=exact("hmc", "normal", "gamma"),
    )
    yield Mutant(
        bug="in C: the position moves on, the energy does not",
        file="sample/native/block.h",
        old="take(accepted, &there->energy, 1, &here->energy);",
        new="",
        tests=_named(
            "test_invariance.py::test_the_energy_that_is_reported_is_the_one_that_was_written",
            "hmc",
            ("normal",),
        ),
    )
    yield Mutant(
        bug="in C: the momentum is not turned around after a rejection",
        file=moves,
        old="-b->fresh[i]",
        new="b->fresh[i]",
        tests=exact("generalized", "normal", "gamma"),
    )
    yield Mutant(
        bug="in C: the Jacobian of an interval is too small",
        file="sample/native/chart.h",
        old="total += R(log)(width) + both;",
        new="total += R(log)(width) + both / 2;",
        tests=exact("hmc", "truncated normal"),
    )
    yield Mutant(
        bug="in C: what is required is ignored",
        file="sample/native/block.h",
        old="outside = outside | ~(margins[i] >= 0)",
        new="outside = outside | ~(margins[i] >= -1)",
        tests=exact("hmc", "uniform in a disc"),
    )
    yield Mutant(
        bug="in C: all points of a trajectory weigh the same",
        file=nuts,
        old="log_uniform[l] < weight[l] - together",
        new="log_uniform[l] < -log(n + 1)",
        tests=exact("nuts", "normal", "gamma"),
    )
    yield Mutant(
        bug="in C: a half of the trajectory is preferred without its weight",
        file=nuts,
        old="pick[l] = -(log_uniform[l] < t->branch_weight[l] - t->log_weight[l]);",
        new="pick[l] = -1;",
        tests=exact("nuts", "normal", "gamma"),
    )
    yield Mutant(
        bug="in C: which momenta move nothing is read where there is no such number",
        file=nuts,
        old="b->momentum[i] *= b->used[i];",
        new="b->momentum[i] = choose(b->scale[i] != splat(0), b->momentum[i], ZERO(vec));",
        tests=exact("nuts dense", "correlated normal")
        + _named("test_invariance.py::test_chains_move", "nuts dense", ("correlated normal",)),
    )


MUTANTS = (*_hmc(), *_flow(), *_density(), *_streams(), *_others(), *_in_machine_code())
"""The bugs, each of which has been in a published sampler or is a slip of one character away."""
