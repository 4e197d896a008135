"""Where and how runs happen: targets, devices, threads, random streams, budgets, progress."""

from ebmlang.runtime.budget import UNLIMITED, Budget, Deadline
from ebmlang.runtime.device import pick_device
from ebmlang.runtime.interrupt import Interrupt, watch_interrupts
from ebmlang.runtime.memory import keep_freed_memory
from ebmlang.runtime.progress import Progress, RichProgress, SilentProgress, pick_progress
from ebmlang.runtime.random import build_generator, derive_seed
from ebmlang.runtime.target import (
    DerivedTarget,
    Differentiated,
    LeastSquares,
    RowTarget,
    Target,
    ValueAndGradient,
    differentiate_value,
    evaluate_gradient,
    take_points,
)
from ebmlang.runtime.threads import thread_count, threads_for

__all__ = [
    "UNLIMITED",
    "Budget",
    "Deadline",
    "DerivedTarget",
    "Differentiated",
    "Interrupt",
    "LeastSquares",
    "Progress",
    "RichProgress",
    "RowTarget",
    "SilentProgress",
    "Target",
    "ValueAndGradient",
    "build_generator",
    "derive_seed",
    "differentiate_value",
    "evaluate_gradient",
    "keep_freed_memory",
    "pick_device",
    "pick_progress",
    "take_points",
    "thread_count",
    "threads_for",
    "watch_interrupts",
]
