"""Where a run is: what it needs to go on, as the latest file of its folder has it."""

from dataclasses import dataclass
from typing import Any

import torch

from ebmlang.runs.archive import map_archive
from ebmlang.runs.directory import RunDirectory, list_states
from ebmlang.runs.moments import Moments
from ebmlang.runtime.checkpoint import restore
from ebmlang.sample import Place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunState:
    """What a run needs to go on.

    Attributes:
        place: Where the sampler is; Any: its state is its own.
        draws: Draws of each chain that are written.
        moments: Of all quantities over these.
        seconds: Time that the warm-up and these draws took, in all processes together [s].
    """

    place: Place[Any]
    draws: int
    moments: Moments
    seconds: tuple[float, float]


def read_state(run: RunDirectory, device: torch.device) -> RunState | None:
    """Return the latest state of a run that can be read; None where there is none yet.

    Args:
        run: The run.
        device: Where the tensors go.
    """
    for _, file in reversed(list_states(run.path)):
        try:
            arrays = map_archive(file)
        except ValueError:
            # A disk may lose what it had said was safe; the state before serves as well.
            continue
        state: RunState = restore(arrays, device)
        if state.draws <= run.draws:
            return state
    return None
