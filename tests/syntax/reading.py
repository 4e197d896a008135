"""Short ways to parse in tests."""

from ebmlang.source import Diagnostic, Report, SourceText
from ebmlang.syntax import parse_expression, parse_file
from ebmlang.syntax.tree import Expression, File

DESK = """\
# desk.ebm: put a lamp and a cup on a desk [cm]
const width = 120
const depth = 60

var lamp: real[2] in [[0, 0], [width, depth]]
var cup:  real[2] in [[0, 0], [width, depth]]

fn dist(a: real[2], b: real[2]) = norm(a - b)
fn near(a: real[2], b: real[2]) = dist(a, b) <= 10 within 2

require apart: dist(lamp, cup) >= 30
prefer  side:  near(lamp, [0, 30]) or near(lamp, [120, 30])
prefer  calm:  not near(cup, [60, 30])            weight 0.5
minimize reach: dist(cup, [60, 0]) / 100
"""

EVERYTHING = """\
## one of each
import std.geometry
from .parts import leg, arm,
given k: real = 2.0   # a number
given n: int in 0..9 = 3
var z: array[12] of unit[3]
var c: label {A, C, G, U}
var w: positive[N, 2] ~ gamma(2, rate=1)
let path = scan s = start over a in actions: step(s, a)
let b = [a * x + b for x in xs]
spec leg(hip: real[2], n) {   # a part
  var knee: real[2]

  require bend: 0 <= norm(knee - hip) < 1 within 0.1
  # the last word
}
part left = leg([0, 1], n=2) weight 2
require spread: forall a, b in pairs(points) where a != b: norm(a - b)^-12 >= 1 iff true
prefer fold: mix(0.3: z ~ normal(0, 1), 0.7: helix(z)) weight 2 * k
maximize gain: if k > 1 then mean(z, axis=0)[1..2, -1] else sum i in 0..N - 1: x[i] % 2
report gap = max(z) - left.knee
property even: forall t: real in [-1, 1], u: unit[3]: t^2 == (-t)^2 within 1e-9
example origin { k = 0, left.knee = [0, 1] } satisfies spread violates left.bend, even
logic godel
default within 0.1
"""


def parse(text: str) -> tuple[File, tuple[Diagnostic, ...]]:
    """Parse a file; return it with all that was said about it."""
    report = Report()
    return parse_file(SourceText("case.ebm", text), report), report.diagnostics


def parse_well(text: str) -> File:
    """Parse a file that has no error."""
    file, said = parse(text)
    assert said == ()
    return file


def expression(text: str) -> Expression:
    """Parse an expression that has no error."""
    report = Report()
    node = parse_expression(SourceText("case", text), report)
    assert report.diagnostics == ()
    assert node is not None
    return node


def complaints(text: str) -> list[tuple[str, str, str, str]]:
    """Return code, place, headline and primary label of all that is said about a file."""
    found = []
    for said in parse(text)[1]:
        assert said.primary is not None
        line, column = said.primary.span.source.position(said.primary.span.start)
        found.append((said.code, f"{line}:{column}", said.headline, said.primary.text))
    return found
