"""Verbs that have no meaning where a spec orders its terms.

They do without the solver, which takes a while to import.
"""

from ebmlang.api.model import Model
from ebmlang.source import Diagnostic, EbmError, Label
from ebmlang.syntax import tree


def require_no_priority(model: Model, verb: str, reason: str) -> None:
    """Raise where a spec orders its terms, and a verb has no meaning for that.

    Args:
        model: The model.
        verb: What was to be done to it, as a participle.
        reason: Why it has none.

    Raises:
        EbmError: E0731.
    """
    if not model.program.priority:
        return
    stated = next(s for s in model.file.statements if isinstance(s, tree.Priority))
    raise EbmError(
        Diagnostic(
            code="E0731",
            headline=f"a spec with a `priority` cannot be {verb}",
            primary=Label(stated.span, "terms are in an order"),
            notes=(reason,),
            helps=("leave the `priority` out, and say with weights how much each term counts",),
        )
    )
