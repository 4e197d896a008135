"""What the parser could not read, so that names inside it are not reported as unknown."""

import re

from ebmlang.source import Report
from ebmlang.syntax import tree


def find_unread_words(file: tree.File, report: Report) -> set[str]:
    """Return the words of statements that the parser could not read.

    They may be names that the rest of the file speaks of, which must not be reported again.
    """
    words: set[str] = set()
    statements = file.statements
    for diagnostic in report.diagnostics:
        if diagnostic.primary is None or diagnostic.primary.span.source != file.source:
            continue
        place = diagnostic.primary.span.start
        before = [s.span.end for s in statements if s.span.end <= place]
        after = [s.span.start for s in statements if s.span.start > place]
        end = min(after, default=len(file.source.text))
        text = file.source.text[max(before, default=0) : end]
        words.update(re.findall(r"[A-Za-z_]\w*", text))
    return words
