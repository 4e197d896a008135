"""What one GPU does: the ring at a million chains, a cluster at 100,000 starts, the tests.

    python -m benchmarks.gpu                             # under eight minutes on one H200
    python -m benchmarks.gpu --json gpu.json --parts ring cluster
    python -m benchmarks.gpu --small --device cpu        # the same, small, anywhere

Needs torch and this checkout, no network. Prints tables in Markdown, and writes all numbers as JSON
after each part, so that a run that is cut off leaves what it has. A part that fails says why, and
the next one runs. `ring` measures

- the ceilings: bytes copied per second, operations per second of a product of matrices in float32
  without tensor cores, and of a chain of multiplications and additions that torch.compile fuses;
- energy and gradient, and a Langevin step, of the compiled spec, call by call, as a CUDA graph of
  many steps, and by loops of many steps, compiled for the device, in which each thread has a chain;
  hand-written torch beside it, eager, as a CUDA graph and through torch.compile.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

import ebmlang
from benchmarks.speed import torch_forms
from benchmarks.speed.targets import Target, build_ring
from ebmlang.analysis.cost import Work, infer_costs
from ebmlang.api.compile import lay_out
from ebmlang.api.graphs import find_graph
from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.passes.gradient import differentiate
from ebmlang.runs import Designs
from ebmlang.sample.collector import new_record
from ebmlang.sample.kernels import UnadjustedLangevin
from ebmlang.sample.loop import build_density
from ebmlang.sample.metric import identity
from ebmlang.sample.native import Machine, build_machine
from ebmlang.sample.state import begin
from ebmlang.sample.streams import Streams

ROOT = Path(__file__).resolve().parents[1]

LJ13 = -44.326801
"""Source: Wales and Doye, Global optimization by basin-hopping (1997), table 1."""

REACHED = 1e-3
"""Above the optimum and still it: far below the next minimum, which is 2.85 above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is run.

    Attributes:
        chains: On the ring.
        steps: Of Langevin, in one graph.
        repeats: Timed calls.
        starts: For the cluster, and its atoms.
        atoms: In the cluster.
        seconds: Limit on the search [s].
        copied: Numbers of the array that is copied to find the bandwidth.
        width: Of the matrices that are multiplied.
        tests: Limit on the tests [s].
    """

    chains: int
    steps: int
    repeats: int
    starts: int
    atoms: int
    seconds: float
    copied: int
    width: int
    tests: float


FULL = Scale(
    chains=1_000_000,
    steps=50,
    repeats=20,
    starts=100_000,
    atoms=13,
    seconds=100.0,
    copied=1 << 28,
    width=8192,
    tests=120.0,
)
SMALL = Scale(
    chains=1_000,
    steps=3,
    repeats=3,
    starts=64,
    atoms=5,
    seconds=5.0,
    copied=1 << 18,
    width=128,
    tests=60.0,
)

Step = Callable[[Tensor], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Where and how a run goes."""

    device: torch.device
    scale: Scale
    compiles: bool

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def time(self, call: Callable[[], object]) -> float:
        """Return the median seconds of a call, behind two that warm up."""
        seconds = []
        for turn in range(self.scale.repeats + 2):
            self.wait()
            begun = time.perf_counter()
            call()
            self.wait()
            if turn >= 2:
                seconds.append(time.perf_counter() - begun)
        return statistics.median(seconds)


# --- what the device could do --------------------------------------------------------


def measure_ceilings(setup: Setup) -> dict[str, float]:
    """Return bytes, and operations in float32, per second."""
    torch.backends.cuda.matmul.allow_tf32 = False
    source = torch.rand(setup.scale.copied, device=setup.device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() * source.element_size()
    matrix = torch.rand(setup.scale.width, setup.scale.width, device=setup.device)
    found = {
        "bytes_per_second": copied / setup.time(lambda: target.copy_(source)),
        "matrix_operations_per_second": 2
        * setup.scale.width**3
        / setup.time(lambda: matrix @ matrix),
    }
    if setup.compiles:
        rounds = 512

        def fused(x: Tensor) -> Tensor:
            y = x
            for _ in range(rounds):
                y = y * x + 0.5
            return y

        compiled = torch.compile(fused, dynamic=False)
        narrow = source[: max(1, setup.scale.copied // 16)] * 0.5
        seconds = setup.time(lambda: compiled(narrow))
        found["fused_operations_per_second"] = 2 * rounds * narrow.numel() / seconds
    return found


# --- the ring ------------------------------------------------------------------------


def measure_ring(setup: Setup) -> dict[str, Any]:
    """Measure energy with gradient and Langevin steps of the ring."""
    target = build_ring()
    module = ebmlang.loads(target.text).compile(dtype=torch.float32, device=str(setup.device))
    packed = module.packed()
    form = torch_forms.build_form(target, device=str(setup.device))
    x = torch.tensor(target.points(setup.scale.chains), dtype=torch.float32, device=setup.device)
    ceilings = measure_ceilings(setup)
    gradients: dict[str, torch_forms.Gradient] = {
        "ebmlang": packed.energy_and_gradient,
        "torch autograd": torch_forms.by_autograd(form),
        "torch by hand": form.gradient,
    }
    energies = {name: setup.time(_bind(call, x)) for name, call in gradients.items()}
    steps = {
        name: setup.time(_bind(torch_forms.langevin_step(call, target.step), x))
        for name, call in gradients.items()
    }
    if setup.compiles:
        for name, call in (
            ("torch compile", torch_forms.by_functional_grad(form)),
            ("torch compile by hand", form.gradient),
        ):
            energies[name] = setup.time(_bind(torch.compile(call, dynamic=False), x))
            step = torch_forms.langevin_step(call, target.step)
            steps[name] = setup.time(_bind(torch.compile(step, dynamic=False), x))
    if setup.device.type == "cuda":
        for name in ("ebmlang", "torch by hand"):
            step = torch_forms.langevin_step(gradients[name], target.step)
            steps[f"{name}, graph"] = _time_graph(setup, step, x)
    loops = _time_loops(setup, module, x, target.step)
    if loops is not None:
        steps["ebmlang, loops"] = loops
    work = _count_work(target)
    chains = setup.scale.chains
    return {
        "chains": chains,
        "ceilings": ceilings,
        "operations_per_gradient": work.operations,
        "bytes_per_gradient": work.traffic * 4,
        "energy_and_gradient": {
            name: _describe(chains / seconds, work, ceilings) for name, seconds in energies.items()
        },
        "langevin_step": {
            name: _describe(chains / seconds, work, ceilings) for name, seconds in steps.items()
        },
    }


def _bind(step: Step, x: Tensor) -> Callable[[], object]:
    return lambda: step(x)


def _time_loops(setup: Setup, module: CompiledEnergy, x: Tensor, step_size: float) -> float | None:
    """Return the seconds of one step of many in one call of compiled loops, if there are any."""
    density = build_density(module.packed(), lay_out(module), None)
    machine = build_machine(density.target, density.chart)
    if not isinstance(machine, Machine):
        print(f"no loops: {machine}", file=sys.stderr)
        return None
    streams = Streams(seed=0, chains=torch.arange(len(x), device=x.device), dtype=x.dtype)
    state = begin(density, x, streams.at(0))
    size = torch.tensor(step_size, dtype=x.dtype, device=x.device)
    move = UnadjustedLangevin(step_size=size, metric=identity(x)).move()
    record = new_record(state, 1)

    def fly() -> None:
        machine.fly(move, state, streams.at(1), record, 0, draws=1, thin=setup.scale.steps)

    return setup.time(fly) / setup.scale.steps


def _time_graph(setup: Setup, step: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """Return the seconds of one step of many that are one CUDA graph."""
    state = x.clone()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream), torch.no_grad():
        for _ in range(3):
            step(state)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph), torch.no_grad():
        moved = state
        for _ in range(setup.scale.steps):
            moved = step(moved)
        state.copy_(moved)
    return setup.time(graph.replay) / setup.scale.steps


def _count_work(target: Target) -> Work:
    graph, _ = find_graph(ebmlang.loads(target.text))
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    return infer_costs(graph, differentiate(graph, total)).gradient


def _describe(rate: float, work: Work, ceilings: Mapping[str, float]) -> dict[str, float]:
    arithmetic = max(
        ceilings["matrix_operations_per_second"], ceilings.get("fused_operations_per_second", 0.0)
    )
    # The least that any form moves: a point in, an energy and a gradient out, in float32.
    moved = 4 * (2 + 1 + 2)
    return {
        "per_second": rate,
        "share_of_arithmetic": rate * work.operations / arithmetic,
        "share_of_bandwidth": rate * moved / ceilings["bytes_per_second"],
    }


def show_ring(found: Mapping[str, Any]) -> str:
    """Return the ring's tables."""
    ceilings = ", ".join(f"{name} {value:.3g}" for name, value in found["ceilings"].items())
    lines = [f"ring, {found['chains']:,} chains, float32; ceilings: {ceilings}", ""]
    for title, key in (("energy and gradient", "energy_and_gradient"), ("step", "langevin_step")):
        lines += [
            f"| {title} | chain-gradients/s | of ebmlang | of arithmetic | of bandwidth |",
            "|---|---|---|---|---|",
        ]
        ours = max(row["per_second"] for name, row in found[key].items() if "ebmlang" in name)
        lines += [
            f"| {name} | {row['per_second']:.3g} | {row['per_second'] / ours:.2g} |"
            f" {row['share_of_arithmetic']:.1%} | {row['share_of_bandwidth']:.1%} |"
            for name, row in found[key].items()
        ]
        lines.append("")
    return "\n".join(lines)


# --- the cluster ---------------------------------------------------------------------


def measure_cluster(setup: Setup) -> dict[str, Any]:
    """Measure how far many starts get on `examples/cluster.ebm` in a limited time."""
    model = ebmlang.load(ROOT / "examples" / "cluster.ebm", constants={"N": setup.scale.atoms})
    begun = time.perf_counter()
    found = model.solve(
        starts=setup.scale.starts,
        designs=1,
        effort="quick",
        seed=1,
        seconds=setup.scale.seconds,
        device=str(setup.device),
    )
    seconds = time.perf_counter() - begun
    best = found[0].energy
    return {
        "starts": setup.scale.starts,
        "atoms": setup.scale.atoms,
        "seconds": seconds,
        "best": best,
        "reached": bool(setup.scale.atoms == 13 and best < LJ13 + REACHED),
        "share_at_best": _share_at(found, best),
        "starts_per_second": found.starts / seconds,
        "reason": found.reason,
    }


def _share_at(found: Designs, best: float) -> float | None:
    return None if found.ends is None else float((found.ends.energies < best + REACHED).mean())


def show_cluster(found: Mapping[str, Any]) -> str:
    """Return the cluster's line."""
    share = found["share_at_best"]
    agreed = "" if share is None else f", an energy at which {share:.2%} of the starts ended"
    reached = " (the known optimum)" if found["reached"] else ""
    return (
        f"cluster of {found['atoms']}, {found['starts']:,} starts: {found['seconds']:.1f} s,"
        f" best {found['best']:.6f}{reached}{agreed}; {found['starts_per_second']:,.0f} starts/s\n"
    )


# --- the tests -----------------------------------------------------------------------


def run_tests(setup: Setup) -> dict[str, Any]:
    """Run `tests/gpu`; without a GPU they are skipped, and say so."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "tests/gpu"]
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=setup.scale.tests, check=False
    )
    lines = done.stdout.strip().splitlines()
    return {
        "code": done.returncode,
        "summary": lines[-1] if lines else done.stderr[-200:],
        "seconds": time.perf_counter() - begun,
    }


def show_tests(found: Mapping[str, Any]) -> str:
    """Return the tests' line."""
    return f"tests/gpu: {found['summary']} (exit code {found['code']})\n"


PARTS: Mapping[
    str, tuple[Callable[[Setup], dict[str, Any]], Callable[[Mapping[str, Any]], str]]
] = MappingProxyType(
    {
        "ring": (measure_ring, show_ring),
        "cluster": (measure_cluster, show_cluster),
        "tests": (run_tests, show_tests),
    }
)


def describe_device(device: torch.device) -> dict[str, str]:
    """Return what figures depend on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {"device": name, "torch": torch.__version__, "python": platform.python_version()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts, print them, and return 0 if none has failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    parser.add_argument("--json", type=Path, default=Path("gpu.json"), metavar="FILE")
    asked = parser.parse_args(arguments)
    device = torch.device(asked.device)
    setup = Setup(
        device=device, scale=SMALL if asked.small else FULL, compiles=not asked.no_compile
    )
    whole: dict[str, Any] = {"machine": describe_device(device)}
    print("; ".join(f"{name} {value}" for name, value in whole["machine"].items()) + "\n")
    failed = 0
    for name in asked.parts:
        measure, show = PARTS[name]
        begun = time.perf_counter()
        try:
            whole[name] = measure(setup)
            print(show(whole[name]), flush=True)
        except Exception as error:  # The other parts are worth having all the same.
            traceback.print_exc()
            whole[name] = {"error": f"{type(error).__name__}: {error}"}
            failed += 1
        whole[name]["part_seconds"] = time.perf_counter() - begun
        asked.json.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
