"""Specs with a conflict planted among requirements that have nothing to do with it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """A spec, and the conjuncts that were planted.

    Attributes:
        name: For the test's name.
        text: The spec.
        members: The words of each conjunct of the one smallest conflict, with its element.
        bounds: The variables whose bounds are part of it.
        proved: Whether the kinds of proof that there are suffice.
    """

    name: str
    text: str
    members: frozenset[str]
    bounds: frozenset[str] = frozenset()
    proved: bool = True


def planted(name: str, text: str, *members: str, bounds: str = "", proved: bool = True) -> Planted:
    return Planted(name, text, frozenset(members), frozenset(bounds.split()), proved)


PLANTED = (
    planted(
        "a relation against a bound",
        """
var x: real in [0, 10]
var y: real in [0, 10]
require high: x >= 12
require near: x - y <= 3
require low: y >= 1
""",
        "x >= 12",
        bounds="x",
    ),
    planted(
        "two opposite inequalities",
        """
var x: real
var y: real in [-5, 5]
require above: x >= 3
require below: x <= 2
require other: x + y >= 0
require more: y <= 4
""",
        "x >= 3",
        "x <= 2",
    ),
    planted(
        "a sum of three",
        """
var x: real in [0, 10]
var y: real in [0, 10]
require total: x + y >= 12
require x_low: x <= 5
require y_low: y <= 5
require x_positive: x >= 1
require order: y - x <= 9
""",
        "x + y >= 12",
        "x <= 5",
        "y <= 5",
    ),
    planted(
        "a cycle of four",
        """
var a: real
var b: real
var c: real
var d: real
require first: b >= a + 1
require second: c >= b + 1
require third: d >= c + 1
require back: a >= d - 2
require free: a + d >= 0
require near: b <= 100
""",
        "b >= a + 1",
        "c >= b + 1",
        "d >= c + 1",
        "a >= d - 2",
    ),
    planted(
        "discs that do not meet",
        """
var p: real[2]
require left: norm(p - [0, 0]) <= 1
require right: norm(p - [3, 0]) <= 1
require up: p[1] >= 0
require big: norm(p - [1, 0]) <= 5
""",
        "norm(p - [0, 0]) <= 1",
        "norm(p - [3, 0]) <= 1",
    ),
    planted(
        "three discs that meet in pairs only",
        """
const far = 1.1
var p: real[2]
require one: norm(p - [1, 0] * far) <= 1
require two: norm(p - [-0.5, 0.8660254] * far) <= 1
require three: norm(p - [-0.5, -0.8660254] * far) <= 1
require big: norm(p) <= 9
""",
        "norm(p - [1, 0] * far) <= 1",
        "norm(p - [-0.5, 0.8660254] * far) <= 1",
        "norm(p - [-0.5, -0.8660254] * far) <= 1",
    ),
    planted(
        "inside of one disc and outside of a larger one",
        """
var p: real[2] in [-5, 5]
require inside: norm(p) <= 1
require outside: norm(p) >= 2
require right: p[0] >= 0
""",
        "norm(p) <= 1",
        "norm(p) >= 2",
    ),
    planted(
        "a distance against bounds",
        """
var lamp: real[2] in [[0, 0], [12, 6]]
var cup: real[2] in [[0, 0], [12, 6]]
require apart: norm(lamp - cup) >= 30
require order: lamp[0] <= cup[0]
""",
        "norm(lamp - cup) >= 30",
        bounds="lamp cup",
    ),
    planted(
        "parts of a spec",
        """
spec leg(hip) {
  var knee: real in [-10, 10]
  require reach: knee >= hip + 2
  require low: knee <= 9.5
}
part left = leg(1)
part right = leg(4)
require together: left.knee - right.knee >= 3
require close: left.knee <= 7
""",
        "left.knee - right.knee >= 3",
        "knee >= hip + 2",
        "left.knee <= 7",
    ),
    planted(
        "one element of a forall",
        """
var x: real[6] in [0, 20]
require rising: forall a, b in adjacent(x): b >= a + 1
require last: x[5] <= 9
require third: x[2] >= 7
require first: x[0] >= 0.5
""",
        "[a = 2, b = 3] b >= a + 1",
        "[a = 3, b = 4] b >= a + 1",
        "[a = 4, b = 5] b >= a + 1",
        "x[5] <= 9",
        "x[2] >= 7",
    ),
    planted(
        "pairs of a forall in a small box",
        """
var x: real[3]
require spread: forall a, b in pairs(x): abs(a - b) >= 2
require low: forall i in 0..2: x[i] >= 0
require two: x[0] <= 1
require near: x[1] <= 1
require far: x[2] <= 50
""",
        "[a = 0, b = 1] abs(a - b) >= 2",
        "[i = 0] x[i] >= 0",
        "[i = 1] x[i] >= 0",
        "x[0] <= 1",
        "x[1] <= 1",
    ),
    planted(
        "an array against an array",
        """
var v: real[3]
const floor_of = [0, 4, 1]
require above: v >= floor_of
require below: v <= [3, 3, 3]
require total: sum(v) <= 20
""",
        "[1] v >= floor_of",
        "[1] v <= [3, 3, 3]",
    ),
    planted(
        "a chain of equalities",
        """
var a: real
var b: real
var c: real
require start: a == 0 within 0.01
require step: b == a + 1 within 0.01
require next: c == b + 1 within 0.01
require finish: c <= 1.5
require other: a + b + c >= -5
""",
        "a == 0 within 0.01",
        "b == a + 1 within 0.01",
        "c == b + 1 within 0.01",
        "c <= 1.5",
    ),
    planted(
        "both branches of an or",
        """
var p: real[2] in [-5, 5]
require sides: p[0] <= 1 or p[0] >= 4
require middle: 2 <= p[0] <= 3
require up: p[1] >= 0
""",
        "p[0] <= 1 or p[0] >= 4",
        "2 <= p[0]",
        "p[0] <= 3",
    ),
    planted(
        "an or each branch of which meets another requirement",
        """
var x: real
var y: real
require either: x >= 5 or y >= 5
require not_x: x <= 4
require not_y: y <= 3
require sum_of: x + y <= 20
""",
        "x >= 5 or y >= 5",
        "x <= 4",
        "y <= 3",
    ),
    planted(
        "an exists over places that are out of reach",
        """
const places = [[4, 0], [0, 4], [-4, -4]]
var p: real[2] in [-6, 6]
require goal: exists place in places: norm(p - place) <= 1
require home: norm(p) <= 2
require right: p[0] + p[1] >= -9
""",
        "exists place in places: norm(p - place) <= 1",
        "norm(p) <= 2",
    ),
    planted(
        "an implication",
        """
var x: real in [0, 10]
var y: real in [0, 10]
require rule: x >= 2 implies y >= 6
require big: x >= 3
require small: y <= 5
require other: x + y <= 15
""",
        "x >= 2 implies y >= 6",
        "x >= 3",
        "y <= 5",
    ),
    planted(
        "a negated or",
        """
var x: real
var y: real
require neither: not (x <= 0 or y <= 0)
require below: x + y <= -1
require free: x - y <= 10
""",
        "not x <= 0",
        "not y <= 0",
        "x + y <= -1",
    ),
    planted(
        "a product that is neither convex nor concave",
        """
var x: real in [0.1, 4]
var y: real in [0.1, 4]
require area: x * y >= 4
require rim: x + y <= 3.5
require tall: y >= 0.2
""",
        "x * y >= 4",
        "x + y <= 3.5",
        bounds="y",
        proved=False,
    ),
    planted(
        "angles",
        """
var t: real in [-3, 3]
var r: real in [0, 5]
require up: r * sin(t) >= 2
require right: r * cos(t) >= 2
require short: r <= 2.5
require long: r >= 0.5
""",
        "r * sin(t) >= 2",
        "r * cos(t) >= 2",
        "r <= 2.5",
        bounds="r",
        proved=False,
    ),
)
