"""The tree of terms: what it holds, and that a stranger's words stay words."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

import ebmlang
from ebmlang.api.composed import compose_model
from ebmlang.plot.svg import FULL, THICKEST, THINNEST, WIDTH, draw_tree
from ebmlang.plot.term_tree import Rank, TreeNode, build_bare_tree, build_tree
from ebmlang.testing.goldens import assert_golden

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "svg"
SVG = "{http://www.w3.org/2000/svg}"

HANDS = "'\"<svg onload=alert(1)>&amp;]]>\x00\x1b\ud800"
"""What must not come through as markup, or break it."""


@pytest.fixture(scope="module")
def desk():
    """The desk at a point with round numbers: `calm` pays 25/16, `reach` a quarter."""
    model = ebmlang.load(ROOT / "examples" / "desk.ebm")
    return build_tree("desk", model.take_apart({"lamp": [5.0, 30.0], "cup": [60.0, 25.0]}))


def test_the_desk_looks_as_it_is_kept(desk):
    assert_golden(GOLDEN / "desk.svg", draw_tree(desk))


def test_the_cloud_looks_as_it_is_kept_without_a_point():
    model = ebmlang.load(ROOT / "examples" / "cloud.ebm")

    tree = build_bare_tree("cloud", compose_model(model).composition)

    assert_golden(GOLDEN / "cloud.svg", draw_tree(tree))


def test_shares_and_energies_add_up(desk):
    """calm: C = 2.5^2 / 2 tolerances, weight 0.5; reach: 25 / 100."""
    parts = {part.name: part for part in desk.parts}

    assert desk.energy == pytest.approx(1.5625 + 0.25)
    assert parts["calm"].energy == pytest.approx(1.5625)
    assert parts["apart"].energy is None
    assert parts["calm"].responsibility + parts["reach"].responsibility == pytest.approx(1)
    assert [part.responsibility for part in parts["side"].parts] == [1, 0]


def test_parts_have_the_energies_of_their_terms():
    model = ebmlang.load(ROOT / "examples" / "cloud.ebm")
    point = {
        f"sky.{side}.{atom}.at": [4.0, 4.0]
        for side in ("left", "right")
        for atom in ("first", "second")
    }

    tree = build_tree("cloud", model.take_apart(point))

    sky = next(part for part in tree.parts if part.name == "sky")
    left, right = (next(p for p in sky.parts if p.name == side) for side in ("left", "right"))
    assert {part.name for part in right.parts} == {"first", "second", "bond", "level"}
    assert sky.energy == pytest.approx(left.energy + right.energy)
    assert tree.energy == pytest.approx(sum(part.energy for part in tree.parts))
    assert sum(part.responsibility for part in tree.parts) == pytest.approx(1)
    assert left.share + right.share == pytest.approx(sky.share)


def test_lines_and_fills_say_who_answers():
    parts = (
        TreeNode(name="all", rank=Rank.SOFT, energy=1.0, responsibility=1.0, share=1.0),
        TreeNode(name="none", rank=Rank.SOFT, energy=0.0, responsibility=0.0, share=0.0),
    )

    root = ElementTree.fromstring(draw_tree(TreeNode(name="E", rank=Rank.WHOLE, parts=parts)))

    widths = [float(path.get("stroke-width")) for path in root.iter(f"{SVG}path")]
    fills = [box.get("fill") for box in root.iter(f"{SVG}rect") if box.get("class")]
    assert widths == [THICKEST, THINNEST]
    assert fills == ["#ffffff", "#" + "".join(f"{c:02x}" for c in FULL), "#ffffff"]


def test_words_of_a_stranger_stay_words():
    part = TreeNode(name=HANDS, rank=Rank.PIECE, joint=HANDS, words=HANDS)

    text = draw_tree(TreeNode(name=HANDS, rank=Rank.WHOLE, joint=HANDS, parts=(part,)))

    root = ElementTree.fromstring(text.encode("utf-8"))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "style",
        "rect",
        "path",
        "g",
        "text",
    }
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert any("<svg onload=alert(1)>" in "".join(t.itertext()) for t in root.iter(f"{SVG}text"))


def test_nodes_do_not_lie_on_each_other():
    leaf = TreeNode(name="leaf", rank=Rank.PIECE)
    inner = TreeNode(name="inner", rank=Rank.SOFT, parts=(leaf, leaf, leaf))
    tree = TreeNode(name="E", rank=Rank.WHOLE, parts=(inner, leaf, inner))

    root = ElementTree.fromstring(draw_tree(tree))

    boxes = [
        (float(b.get("x")), float(b.get("y"))) for b in root.iter(f"{SVG}rect") if b.get("class")
    ]
    for i, (x, y) in enumerate(boxes):
        for left, top in boxes[i + 1 :]:
            assert abs(x - left) >= WIDTH or abs(y - top) >= 38


def test_a_violated_requirement_is_dashed_and_said_to_be():
    node = TreeNode(name="apart", rank=Rank.REQUIRED, margin=-2.0, holds=0.0)

    text = draw_tree(node)

    assert 'class="box required violated"' in text
    assert "required · margin -2 · violated" in text
