"""What a run was and whether to trust it: results as records, and how they are stored."""

from ebmlang.runs.answers import Answers, RowStatus
from ebmlang.runs.arviz import to_arviz
from ebmlang.runs.design import Design, Designs, Ends, Status
from ebmlang.runs.directory import open_run
from ebmlang.runs.samples import Samples, Trust
from ebmlang.runs.versions import collect_versions

__all__ = [
    "Answers",
    "Design",
    "Designs",
    "Ends",
    "RowStatus",
    "Samples",
    "Status",
    "Trust",
    "collect_versions",
    "open_run",
    "to_arviz",
]
