"""Parallel tempering: chains that cross between modes by way of higher temperatures."""

from ebmlang.sample.tempering.parallel import ParallelTempering, TemperingState, build_tempering

__all__ = ["ParallelTempering", "TemperingState", "build_tempering"]
