"""Graph to graph rewrites, each with a precondition and a law."""

from ebmlang.passes.pipeline import ANALYZED, PASSES, optimize
from ebmlang.passes.rewrite import Pass

__all__ = ["ANALYZED", "PASSES", "Pass", "optimize"]
