"""Steps of one shape, written one by one, become one step along an axis of their own."""

from ebmlang.passes.batching.report import Batch, list_batches
from ebmlang.passes.batching.writing import BATCHING, LEAST, batch_terms

__all__ = ["BATCHING", "LEAST", "Batch", "batch_terms", "list_batches"]
