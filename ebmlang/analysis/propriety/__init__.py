"""Propriety: bounded below, a minimizer, a finite integral; each with a proof or a way out."""

from ebmlang.analysis.propriety.judging import judge_propriety

__all__ = ["judge_propriety"]
