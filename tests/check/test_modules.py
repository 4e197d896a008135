import pytest

from ebmlang.check import FolderLoader
from tests.check.road import accept, read, refusals, term


@pytest.fixture
def folder(tmp_path):
    main = tmp_path / "main"
    (main / "parts").mkdir(parents=True)
    (tmp_path / "secret.ebm").write_text("const key = 1\n")
    (main / "parts" / "legs.ebm").write_text(
        "const length = 2\nvar hidden: real\nfn double(a) = 2 * a * length\n"
        "fn peek(a) = a + hidden\n"
        "spec leg(hip) { var knee: real  prefer bend: knee >= hip }\n"
        "prefer never: hidden >= 0\n"
    )
    return main


def options(folder):
    main = folder / "main.ebm"
    return {"loader": FolderLoader(main, "main.ebm"), "name": "main.ebm"}


def test_a_module_lends_its_functions_specs_and_constants(folder):
    program = accept(
        "from .parts.legs import double, leg, length\n"
        "import .parts.legs\n"
        "part left = leg(length)\n"
        "part right = legs.leg(1)\n"
        "minimize t: double(left.knee) + legs.double(right.knee) + legs.length",
        **options(folder),
    )

    assert [t.name for t in program.body.terms] == ["t"]
    assert term(program, "t").value.type.shape == ()


def test_constants_of_modules_are_defined_before_they_are_used(folder):
    program = accept(
        "import .parts.legs\nvar x: real\nminimize t: legs.double(x)", **options(folder)
    )

    assert [d.symbol.name for d in program.body.definitions] == ["length"]


def test_the_standard_library_needs_no_folder():
    accept("import std.geometry\nvar x: real[2]\nminimize t: geometry.distance(x, [0, 0])")


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("import std.nothing", "E0206", "std.nothing"),
        ("import parts.legs", "E0206", "parts.legs"),
        ("import .parts.arms", "E0206", "parts.arms"),
        ("import ..secret", "E0207", "secret"),
        ("from .parts.legs import arm", "E0208", "arm"),
        ("from .parts.legs import hidden", "E0208", "hidden"),
        ("import .parts.legs\nlet a = legs.nothing", "E0209", "nothing"),
        ("import .parts.legs\nlet a = legs.nothing(1)", "E0204", "nothing"),
        ("import .parts.legs\nlet a = legs.hidden", "E0201", "legs.hidden"),
        ("import .parts.legs\nlet a = legs", "E0301", "legs"),
        ("import .parts.legs\nlet a = legs.peek(1)", "E0201", "hidden"),
    ],
)
def test_a_wrong_import_is_reported(folder, text, code, guilty):
    assert refusals(text, **options(folder)) == [(code, guilty)]


def test_a_text_without_a_folder_has_no_modules_beside_it():
    assert refusals("import .parts") == [("E0206", "parts")]


def test_uses_of_a_module_that_is_not_there_are_silent():
    found = refusals("from .parts import leg, size_of\npart p = leg(1)\nlet a = size_of")

    assert found == [("E0206", "parts")]


def test_a_link_out_of_the_folder_is_not_followed(folder):
    (folder / "link.ebm").symlink_to(folder.parent / "secret.ebm")

    assert refusals("import .link", **options(folder)) == [("E0207", "link")]


def test_files_that_import_each_other_are_reported(folder):
    (folder / "a.ebm").write_text("import .b\nfn f(x) = x\n")
    (folder / "b.ebm").write_text("import .a\nfn g(x) = x\n")

    assert [code for code, _ in refusals("import .a", **options(folder))] == ["E0205"]


def test_an_error_in_a_module_is_shown_in_its_own_file(folder):
    (folder / "wrong.ebm").write_text("fn f(x) = x + true\n")

    _, (found,) = read("import .wrong\nlet a = wrong.f(1)", **options(folder))

    assert found.primary.span.source.name == "wrong.ebm"
    assert found.secondary[0].span.text == "wrong.f(1)"


def test_a_module_that_is_not_text_is_reported(folder):
    (folder / "bytes.ebm").write_bytes(b"\xff\xfe\x00")

    assert refusals("import .bytes", **options(folder)) == [("E0109", "bytes")]


def test_a_module_imports_from_its_own_folder(folder):
    (folder / "parts" / "base.ebm").write_text("fn one(a) = a\n")
    (folder / "parts" / "more.ebm").write_text("from .base import one\nfn two(a) = one(a) + 1\n")

    accept("import .parts.more\nvar x: real\nminimize t: more.two(x)", **options(folder))


def test_a_module_may_have_a_byte_order_mark_and_any_line_breaks(folder):
    (folder / "tools.ebm").write_bytes(b"\xef\xbb\xbffn f(a) = a^2 # square\r\n")

    accept("from .tools import f\nvar x: real\nminimize m: f(x)", **options(folder))
