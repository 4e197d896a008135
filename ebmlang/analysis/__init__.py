"""What can be proved of a graph before it runs: facts, propriety, contradictions, the plan."""

from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.framework import Derived, Inputs, propagate
from ebmlang.analysis.verdict import Answer, Propriety, Question, Verdict

__all__ = [
    "Answer",
    "Derived",
    "GraphFacts",
    "Inputs",
    "Propriety",
    "Question",
    "Verdict",
    "propagate",
]
