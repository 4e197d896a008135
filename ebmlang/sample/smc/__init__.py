"""Annealed particles on islands: draws of several modes, and the log partition function."""

from ebmlang.sample.smc.estimate import (
    Annealed,
    anneal_islands,
    collect_draws,
    estimate_log_partition,
    sample,
)
from ebmlang.sample.smc.partition import LogPartition

__all__ = [
    "Annealed",
    "LogPartition",
    "anneal_islands",
    "collect_draws",
    "estimate_log_partition",
    "sample",
]
