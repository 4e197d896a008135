"""Every code a message can carry, as one table.

A code is never reused. Each has a page `docs/errors/<code>.md` with a wrong and a right
program, both run by the tests. Blocks: E01 syntax, E02 names, E03 types and shapes, E04
analyses, E05 graph and passes, E06 lowering, E07 runs, E08 files, E09 command line; a
warning has `W` in place of `E`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SPEC_WRONG = 1
WRONG_USAGE = 2
RUN_FAILED = 3


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of message: its slug and the exit code it leads to."""

    slug: str
    exit_code: int = SPEC_WRONG


_TABLE = {
    # Syntax
    "E0101": Code("unexpected-character"),
    "E0102": Code("unexpected-token"),
    "E0103": Code("unclosed-bracket"),
    "E0104": Code("unclosed-string"),
    "E0105": Code("nested-too-deep"),
    "E0106": Code("reserved-word"),
    "E0107": Code("not-a-statement"),
    "E0108": Code("not-yet-supported"),
    "E0109": Code("not-text"),
    "E0110": Code("number-out-of-range"),
    # Names
    "E0201": Code("unknown-name"),
    "E0202": Code("duplicate-name"),
    "E0203": Code("built-in-name"),
    "E0204": Code("unknown-function"),
    "E0205": Code("circular-definition"),
    "E0206": Code("unknown-module"),
    "E0207": Code("import-outside"),
    "E0208": Code("unknown-import"),
    "E0209": Code("unknown-member"),
    "E0210": Code("repeated-setting"),
    "W0211": Code("unused-variable"),
    "W0212": Code("unused-name"),
    "E0213": Code("wrong-priority"),
    # Types and shapes
    "E0301": Code("sort-mismatch"),
    "E0302": Code("shape-mismatch"),
    "E0303": Code("wrong-arguments"),
    "E0304": Code("not-constant"),
    "E0305": Code("missing-tolerance"),
    "E0306": Code("or-on-energy"),
    "E0307": Code("not-on-energy"),
    "E0308": Code("left-sides-differ"),
    "E0309": Code("index-out-of-range"),
    "E0310": Code("wrong-rank"),
    "E0311": Code("not-positive"),
    "E0312": Code("unsupported-domain"),
    "E0313": Code("condition-not-known"),
    "E0314": Code("require-needs-constraint"),
    "E0315": Code("contradiction"),
    "E0316": Code("too-large"),
    "E0317": Code("spec-with-variables"),
    "E0318": Code("wrong-bounds"),
    "E0319": Code("state-changes-shape"),
    "E0321": Code("not-finite-constant"),
    "E0322": Code("not-normalizable"),
    "W0331": Code("constant-term"),
    # Analyses
    "E0411": Code("impossible"),
    "E0412": Code("improper"),
    "E0413": Code("unbounded"),
    "E0414": Code("repel-unproven"),
    "E0415": Code("unknown-warning"),
    "E0416": Code("wrong-example"),
    "E0417": Code("refuted"),
    "E0418": Code("normalize-improper"),
    "W0421": Code("not-integrable"),
    "W0422": Code("unproven"),
    "W0423": Code("always-true"),
    "W0424": Code("never-true"),
    "W0425": Code("duplicate-term"),
    "W0426": Code("useless-weight"),
    "W0427": Code("default-tolerance"),
    "W0428": Code("scale"),
    # Runs
    "E0701": Code("missing-data", WRONG_USAGE),
    "E0702": Code("data-shape", WRONG_USAGE),
    "E0703": Code("data-not-finite", WRONG_USAGE),
    "E0704": Code("data-out-of-range", WRONG_USAGE),
    "E0705": Code("unknown-data", WRONG_USAGE),
    "E0706": Code("infeasible", RUN_FAILED),
    "E0707": Code("energy-not-finite", RUN_FAILED),
    "E0708": Code("nothing-to-find", RUN_FAILED),
    "E0709": Code("run-not-trusted", RUN_FAILED),
    "E0710": Code("wrong-point", WRONG_USAGE),
    "E0711": Code("out-of-memory", RUN_FAILED),
    "E0715": Code("integral-unreliable", RUN_FAILED),
    "E0721": Code("data-cannot-vary", WRONG_USAGE),
    "E0725": Code("function-failed", RUN_FAILED),
    "E0731": Code("priority-without-meaning"),
    "E0732": Code("sensitivity-unknown"),
    # Files
    "E0801": Code("file-not-found", WRONG_USAGE),
    "E0802": Code("file-not-readable", WRONG_USAGE),
    "E0803": Code("data-format", WRONG_USAGE),
    "E0804": Code("output-not-writable", WRONG_USAGE),
    "E0805": Code("run-stopped", RUN_FAILED),
    "E0806": Code("not-a-run", WRONG_USAGE),
    "E0807": Code("run-of-another-spec", WRONG_USAGE),
    "E0808": Code("missing-package", WRONG_USAGE),
    "E0809": Code("run-not-ended", WRONG_USAGE),
    "E0820": Code("nothing-to-draw", WRONG_USAGE),
    # Command line
    "E0901": Code("unknown-weight", WRONG_USAGE),
    "E0902": Code("unknown-constant", WRONG_USAGE),
    "E0903": Code("wrong-value", WRONG_USAGE),
    "E0904": Code("wrong-option", WRONG_USAGE),
    "E0905": Code("unknown-code", WRONG_USAGE),
    "E0906": Code("no-such-device", WRONG_USAGE),
    "E0907": Code("no-such-method", WRONG_USAGE),
    "E0911": Code("unknown-term", WRONG_USAGE),
    "E0920": Code("unknown-quantity", WRONG_USAGE),
}

CODES: Mapping[str, Code] = MappingProxyType(_TABLE)
