"""What may speak against a run: one concern for one cause, in words, with what may help."""

from dataclasses import dataclass
from enum import Enum


class Sign(Enum):
    """The statistic that raised a concern, as it is called in JSON."""

    STILL = "still"
    DIVERGENCES = "divergences"
    ACCEPTANCE = "acceptance"
    TAIL_ACCEPTANCE = "tail_acceptance"
    BFMI = "bfmi"
    CHAINS = "chains"
    DRAWS = "draws"
    FINITE = "finite"
    R_HAT = "r_hat"
    DRIFT = "drift"
    ESS_BULK = "ess_bulk"
    ESS_TAIL = "ess_tail"
    ESS_SQUARE = "ess_square"
    PARETO_K = "pareto_k"
    PARTITION = "log_partition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that speaks against a run.

    Attributes:
        sign: What raised it.
        reason: What was found, with the limit that it breaks.
        advice: What may help.
    """

    sign: Sign
    reason: str
    advice: str


def count_chains(count: int, chains: int) -> str:
    """Return how many chains of all.

    >>> count_chains(1, 4), count_chains(3, 4), count_chains(1, 1)
    ('one of 4 chains', '3 of 4 chains', '1 of 1 chains')
    """
    return f"{count} of {chains} chains" if count > 1 or chains == 1 else f"one of {chains} chains"


def list_names(names: list[str]) -> str:
    """Return the first of some names, and how many more there are.

    >>> list_names(["x"]), list_names(["x", "y", "z"])
    ('`x`', '`x` and 2 more')
    """
    first = f"`{names[0]}`"
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"
