"""Runs in their folders: read back, with the verdict that they have now."""

from pathlib import Path

import numpy as np
import torch

from ebmlang.api.sample import judge_draws
from ebmlang.runs import Samples
from ebmlang.runs.directory import open_run
from ebmlang.runs.overview import require_verdict
from ebmlang.runs.run_state import read_state
from ebmlang.runs.unpacking import read_stats
from ebmlang.sample import Draws

MeanAndSpread = tuple[float, float]


def read_samples(path: Path) -> Samples:
    """Return a run that has ended from its folder; its draws are read when they are asked for.

    Raises:
        EbmError: E0806 where there is no run that can be read, E0809 where it has not ended.
    """
    run = open_run(path)
    settings, values = run.manifest.settings, run.values
    found = Draws(
        chunk=read_stats(values),
        method=settings.method,
        adaptation=require_verdict(run)["adaptation"],
        warmup=settings.warmup,
        warmup_gradients=torch.zeros(settings.chains, dtype=torch.long),
        thin=settings.thin,
        interrupted=not run.is_finished,
    )
    return judge_draws(found, values, run.manifest)


def read_progress(path: Path) -> dict[str, MeanAndSpread]:
    """Return mean and standard deviation of every scalar quantity so far, without the draws.

    Raises:
        EbmError: E0806 where there is no run that can be read.
    """
    state = read_state(open_run(path), torch.device("cpu"))
    if state is None:
        return {}
    found = {}
    for name in state.moments.mean:
        mean, sd = state.moments.pooled(name)
        for place, value in enumerate(mean.ravel().tolist()):
            index = ", ".join(str(i) for i in np.unravel_index(place, mean.shape))
            shown = f"{name}[{index}]" if mean.shape else name
            found[shown] = (float(value), float(sd.ravel()[place]))
    return found
