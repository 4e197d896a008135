"""What in a spec contradicts itself, says nothing, or says the same twice."""

from ebmlang.analysis.findings.table import FINDINGS, Finding, list_findings

__all__ = ["FINDINGS", "Finding", "list_findings"]
