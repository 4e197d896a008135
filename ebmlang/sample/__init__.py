"""Sampling: many chains as one batch, adapted in a warm-up that then freezes."""

from ebmlang.sample.draws import Draws, FrozenAdaptation
from ebmlang.sample.loop import sample

__all__ = ["Draws", "FrozenAdaptation", "sample"]
