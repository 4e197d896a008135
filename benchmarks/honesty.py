"""Whether a run that is off says so: errors of means and variances against the run's own.

    python benchmarks/honesty.py --method hmc --records hmc.jsonl            # all, some minutes
    python benchmarks/honesty.py --method hmc --targets banana --chains 4 --seeds 5
    python benchmarks/honesty.py --show hmc.jsonl nuts.jsonl                 # tables of records

Energies with known means and variances are sampled with few long and with many short chains. For
each coordinate the errors of its mean and its variance are divided by the Monte Carlo errors that
the run itself states; a run is *off* where one of them is above 3, *flagged* where its verdict is
that it must not be trusted. What must not be is off and not flagged.

With correct errors a statistic exceeds 3 in 0.27% of the runs by chance, and one of the 200
statistics of icg100 in up to 42% of them. So two rates are given: of statistics, which should be
near 0.27%, and of runs, next to what chance makes of it.
"""

import argparse
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import honesty_targets
import numpy as np
import torch
from scipy.special import ndtr

from ebmlang.api.compile import compile_model, lay_out
from ebmlang.runs.convergence import Verdict, judge, read_facts
from ebmlang.sample import Draws, Plan, sample
from ebmlang.sample.methods import METHODS
from ebmlang.testing.target import Target

CHAINS = (4, 1024)
SEEDS = 20

PLANS = {False: Plan(warmup=1000, draws=1000), True: Plan(warmup=500, draws=100)}
"""How long few chains run, and many."""

MANY = 100
"""Chains that are many."""

LARGEST = 3.0
"""Own Monte Carlo errors that an error may have."""

EXCEEDED = float(2 * ndtr(-LARGEST))
"""Share of errors that exceed it by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run.

    Attributes:
        target, method, chains, seed: What was run.
        warmup, draws: How long.
        seconds: Of CPU.
        gradients: Per chain, warm-up included.
        signs: What raised concerns; none where the run is trusted.
        mean_errors: Of each coordinate's mean, in own Monte Carlo errors.
        variance_errors: Likewise of its variance.
        statistics: The worst of each over all quantities, to look for better limits.
    """

    target: str
    method: str
    chains: int
    seed: int
    warmup: int
    draws: int
    seconds: float
    gradients: float
    signs: list[str]
    mean_errors: list[float]
    variance_errors: list[float]
    statistics: dict[str, float]

    @property
    def errors(self) -> list[float]:
        """All errors, in own Monte Carlo errors."""
        return [*self.mean_errors, *self.variance_errors]

    @property
    def is_off(self) -> bool:
        """Whether one of them is too large, or is no number."""
        return not all(abs(error) <= LARGEST for error in self.errors)


def draw(name: str, method: str, *, chains: int, seed: int, plan: Plan) -> Draws:
    """Sample a target."""
    module = compile_model(honesty_targets.load(name))
    return sample(
        module.packed(), lay_out(module), METHODS[method](), seed=seed, chains=chains, plan=plan
    )


def run(name: str, method: str, *, chains: int, seed: int) -> Record:
    """Sample a target, judge the draws, and measure how far off they are."""
    target = honesty_targets.find(name)
    plan = PLANS[chains >= MANY]
    begin = time.process_time()
    draws = draw(name, method, chains=chains, seed=seed, plan=plan)
    seconds = time.process_time() - begin
    facts = read_facts(draws)
    quantities = {"energy": draws.energies.numpy(), "x": draws.points.numpy()}
    verdict = judge(quantities, facts)
    mean_errors, variance_errors = measure_errors(verdict, target)
    spent = draws.warmup_gradients.double().mean() + draws.chunk.gradients.sum(1).double().mean()
    extremes = {
        "divergent": float(facts.divergences.sum()) / (chains * facts.iterations),
        "bfmi": float(facts.bfmi.min()) if len(facts.bfmi) else math.nan,
    }
    return Record(
        target=name,
        method=method,
        chains=chains,
        seed=seed,
        warmup=plan.warmup,
        draws=plan.draws,
        seconds=seconds,
        gradients=float(spent),
        signs=[concern.sign.value for concern in verdict.concerns],
        mean_errors=mean_errors,
        variance_errors=variance_errors,
        statistics=_find_extremes(verdict) | extremes,
    )


def measure_errors(verdict: Verdict, target: Target) -> tuple[list[float], list[float]]:
    """Return errors of means and variances in the Monte Carlo errors of a verdict's table."""
    rows = [row for row in verdict.table if row.name != "energy"]
    means, variances = target.mean.tolist(), target.variance.tolist()
    mean_errors = [(row.mean - mean) / row.mcse for row, mean in zip(rows, means, strict=True)]
    # The variance is the square of the sd, so that its error is 2 sd times as large.
    variance_errors = [
        (row.sd**2 - variance) / (2 * row.sd * row.mcse_sd)
        for row, variance in zip(rows, variances, strict=True)
    ]
    return mean_errors, variance_errors


def _find_extremes(verdict: Verdict) -> dict[str, float]:
    largest = {
        name: float(np.nanmax([getattr(row, name) for row in verdict.table] + [-np.inf]))
        for name in ("rhat", "nested_rhat", "pareto_k", "drift")
    }
    smallest = {
        name: float(np.nanmin([getattr(row, name) for row in verdict.table] + [np.inf]))
        for name in ("ess_bulk", "ess_tail", "ess_square", "tail_acceptance")
    }
    return largest | smallest


# --- tables --------------------------------------------------------------------------


def show(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines of a Markdown table, a row for each target, method and number of chains."""
    yield (
        "| target | method | chains | runs | off | flagged | off, not flagged | "
        "exceeding, of all in unflagged runs | by chance | largest unflagged | flagged by |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    cells: defaultdict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for record in records:
        cells[record.target, record.method, record.chains].append(record)
    for (target, method, chains), runs in cells.items():
        trusted = [record for record in runs if not record.signs]
        errors = [abs(error) for record in trusted for error in record.errors]
        exceeding = sum(error > LARGEST for error in errors)
        lucky = (1 - EXCEEDED) ** len(runs[0].errors)
        signs = Counter(sign for record in runs for sign in record.signs)
        cause = ", ".join(f"{sign} {count}" for sign, count in signs.most_common())
        yield (
            f"| {target} | {method} | {chains} | {len(runs)} "
            f"| {sum(record.is_off for record in runs)} | {len(runs) - len(trusted)} "
            f"| {sum(record.is_off for record in trusted)} | {exceeding} of {len(errors)} "
            f"| {len(trusted) * (1 - lucky):.1f} runs | {max(errors, default=0):.1f} | {cause} |"
        )


def read_records(paths: Iterable[Path]) -> list[Record]:
    """Return the records of files, one a line."""
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [Record(**json.loads(line)) for line in lines]


def main() -> None:
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="hmc", choices=list(METHODS))
    parser.add_argument("--targets", nargs="+", default=list(honesty_targets.TARGETS))
    parser.add_argument("--chains", nargs="+", type=int, default=list(CHAINS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--records", type=Path, help="file that each run adds a line to")
    parser.add_argument("--show", nargs="+", type=Path, help="only tabulate these records")
    arguments = parser.parse_args()
    if arguments.show:
        print("\n".join(show(read_records(arguments.show))))
        return
    torch.set_num_threads(1)
    records = []
    for target in arguments.targets:
        for chains in arguments.chains:
            for seed in range(arguments.seeds):
                records.append(run(target, arguments.method, chains=chains, seed=seed))
                if arguments.records:
                    with arguments.records.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(records[-1])) + "\n")
    print("\n".join(show(records)))


if __name__ == "__main__":
    main()
