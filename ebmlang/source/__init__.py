"""Text, places in it, and messages about it. Standard library only."""

from ebmlang.source.codes import CODES, Code
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
