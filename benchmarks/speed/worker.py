"""A process that holds candidates and times them when asked, in its own environment.

    python -m benchmarks.speed.worker        # speaks JSON, a line each way

| request | answer |
| --- | --- |
| `{"build": ID, "candidate": {...}}` | CPU seconds until the first call had ended |
| `{"sample": ID, "seconds": S}` | CPU and wall seconds per gradient, of calls of S seconds in all |
| `{"drop": ID}` | nothing |

What cannot be built is answered with `error`, and left out of the table.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import IO

from benchmarks.speed.targets import TARGETS, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is timed.

    Attributes:
        form: `ours`, `torch` or `jax`.
        way: For torch, which way to the gradient; for ours `threads`, where torch and the tiers
            may use as many as they choose.
        kind: What of it: `energies`, `langevin` or `hmc`.
        target: Of which target.
        size: Points or chains.
    """

    form: str
    kind: str
    target: str
    size: int
    way: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and how many gradients of the whole batch it takes."""

    run: Callable[[], object]
    gradients: float


def build_call(candidate: Candidate) -> Call:
    """Return the call of a candidate, in the environment that it needs."""
    target = TARGETS[candidate.target]()
    match candidate.form:
        case "ours":
            import torch

            from benchmarks.speed import ours

            if candidate.way != "threads":
                torch.set_num_threads(1)
            return Call(*ours.build_call(candidate.kind, target, candidate.size))
        case "torch":
            return Call(*_build_torch(candidate, target))
        case "jax":
            from benchmarks.speed import jax_forms

            return Call(*jax_forms.build_call(candidate.kind, target, candidate.size))
        case _:
            raise ValueError(f"no form {candidate.form}")


def _build_torch(candidate: Candidate, target: Target) -> tuple[Callable[[], object], float]:
    import torch

    from benchmarks.speed import torch_forms

    torch.set_num_threads(1)
    # Every candidate is a function of its own, of the same few lines of code.
    torch._dynamo.config.recompile_limit = 1000
    form = torch_forms.build_form(target)
    x = torch.tensor(target.points(candidate.size), dtype=torch.float32)
    whole = candidate.way.startswith("torch compile") and candidate.kind != "energies"
    # A step is compiled as one with its gradient, not around a compiled gradient.
    inner = {
        "torch compile": torch_forms.by_functional_grad,
        "torch compile by hand": torch_forms.by_hand,
    }
    way = inner[candidate.way] if whole else torch_forms.WAYS[candidate.way]
    gradient = way(form)
    if candidate.kind == "energies":
        return lambda: gradient(x), 1
    steps = {"langevin": torch_forms.langevin_step, "hmc": torch_forms.hmc_step}
    step = steps[candidate.kind](gradient, target.step)
    if whole:
        step = torch.compile(step, dynamic=False, fullgraph=True)
    gradients = torch_forms.LEAPFROGS if candidate.kind == "hmc" else 1

    def run() -> torch.Tensor:
        with torch.no_grad() if whole else torch.enable_grad():
            return step(x)

    return run, gradients


def time_calls(call: Call, seconds: float) -> dict[str, float]:
    """Return CPU and wall seconds per gradient of as many calls as take some CPU seconds."""
    count, spent = 1, 0.0
    while True:
        begun, at = time.process_time(), time.perf_counter()
        for _ in range(count):
            call.run()
        spent, passed = time.process_time() - begun, time.perf_counter() - at
        if spent >= seconds:
            break
        # Short of it, too little is known of a call to be exact about the next number.
        count = max(2 * count, int(1.2 * count * seconds / max(spent, 1e-4)))
    whole = count * call.gradients
    return {"cpu": spent / whole, "wall": passed / whole, "calls": count}


def main() -> None:
    """Answer requests until the input ends."""
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    core = os.environ.get("SPEED_CORE")
    if core is not None:
        os.sched_setaffinity(0, {int(core)})
    calls: dict[str, Call] = {}
    for line in sys.stdin:
        _answer(answers, calls, json.loads(line))


def _answer(answers: IO[str], calls: dict[str, Call], request: Mapping[str, object]) -> None:
    try:
        if "build" in request:
            begun = time.process_time()
            call = build_call(Candidate(**request["candidate"]))  # type: ignore[arg-type]
            call.run()
            calls[str(request["build"])] = call
            found: dict[str, object] = {"first": time.process_time() - begun}
        elif "sample" in request:
            found = dict(time_calls(calls[str(request["sample"])], float(str(request["seconds"]))))
        else:
            calls.pop(str(request["drop"]), None)
            found = {}
    except Exception as error:  # Whatever a candidate cannot do is for the table to say.
        found = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    print(json.dumps(found), file=answers)


def write_candidate(candidate: Candidate) -> dict[str, object]:
    """Return a candidate as JSON holds it."""
    return asdict(candidate)


if __name__ == "__main__":
    main()
