"""Where and how runs happen: targets, devices, threads, random streams, budgets, progress."""

from ebmlang.runtime.budget import UNLIMITED, Budget, Deadline
from ebmlang.runtime.device import pick_device
from ebmlang.runtime.interrupt import Interrupt, watch_interrupts
from ebmlang.runtime.memory import keep_freed_memory, make_room
from ebmlang.runtime.progress import Progress, RichProgress, SilentProgress, show_progress
from ebmlang.runtime.pytrees import (
    concatenate,
    list_tensors,
    map_fields,
    map_tensors,
    take_rows,
    with_tensors,
)
from ebmlang.runtime.random import build_generator, derive_seed
from ebmlang.runtime.target import (
    DerivedTarget,
    Differentiated,
    EnergyText,
    LeastSquares,
    RowTarget,
    Target,
    TextTarget,
    ValueAndGradient,
    differentiate_value,
    evaluate_gradient,
    is_by_row,
    is_differentiated,
    make_leaf,
    take_points,
)
from ebmlang.runtime.threads import thread_count, threads_for

__all__ = [
    "UNLIMITED",
    "Budget",
    "Deadline",
    "DerivedTarget",
    "Differentiated",
    "EnergyText",
    "Interrupt",
    "LeastSquares",
    "Progress",
    "RichProgress",
    "RowTarget",
    "SilentProgress",
    "Target",
    "TextTarget",
    "ValueAndGradient",
    "build_generator",
    "concatenate",
    "derive_seed",
    "differentiate_value",
    "evaluate_gradient",
    "is_by_row",
    "is_differentiated",
    "keep_freed_memory",
    "list_tensors",
    "make_leaf",
    "make_room",
    "map_fields",
    "map_tensors",
    "pick_device",
    "show_progress",
    "take_points",
    "take_rows",
    "thread_count",
    "threads_for",
    "watch_interrupts",
    "with_tensors",
]
