"""Sampling: many chains as one batch, adapted in a warm-up that then freezes."""

from ebmlang.sample.draws import Chunk, Draws, MemorySink, Sink
from ebmlang.sample.loop import Plan, build_setting, sample
from ebmlang.sample.sampler import Kernel, Phase, Place, Sampler, Setting

__all__ = [
    "Chunk",
    "Draws",
    "Kernel",
    "MemorySink",
    "Phase",
    "Place",
    "Plan",
    "Sampler",
    "Setting",
    "Sink",
    "build_setting",
    "sample",
]
