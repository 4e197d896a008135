"""Kernels with their adaptation, as a run uses them."""
