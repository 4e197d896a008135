"""Text, places in it, and messages about it. Standard library only."""

from ebmlang.source.codes import CODES, RUN_FAILED, Code
from ebmlang.source.diagnostic import (
    Diagnostic,
    EbmError,
    InternalError,
    Label,
    Report,
    Severity,
)
from ebmlang.source.text import SourceText, Span

__all__ = [
    "CODES",
    "RUN_FAILED",
    "Code",
    "Diagnostic",
    "EbmError",
    "InternalError",
    "Label",
    "Report",
    "Severity",
    "SourceText",
    "Span",
]
