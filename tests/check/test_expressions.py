import pytest

from ebmlang.check.formulas import Apply, Convert, Index, Literal, SizeValue
from ebmlang.lang import Sort, Stage
from tests.check.road import accept, refusals, sort_and_shape, type_of, value


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("1", "int"),
        ("1.0", "real"),
        ("inf", "real"),
        ("true", "bool"),
        ("1 + 2", "int"),
        ("1 / 2", "real"),
        ("k % 2", "int"),
        ("k + 1.5", "real"),
        ("2^3", "int"),
        ("2^-1", "real"),
        ("k^k", "real"),
        ("-k", "int"),
        ("v + 1", "real[3]"),
        ("m * v", "real[2, 3]"),
        ("m @ v", "real[2]"),
        ("v @ v", "real"),
        ("m @ transpose(m)", "real[2, 2]"),
        ("[x, 1]", "real[2]"),
        ("[[1, 2], [3, 4]]", "int[2, 2]"),
        ("sum(m)", "real"),
        ("sum(m, 0)", "real[3]"),
        ("sum(m, axis = 1)", "real[2]"),
        ("sum(ints)", "int"),
        ("mean(ints)", "real"),
        ("min(ints)", "int"),
        ("norm(m, 1)", "real[2]"),
        ("norm(ints)", "real"),
        ("abs(ints)", "int[4]"),
        ("floor(x)", "real"),
        ("atan2(v, x)", "real[3]"),
        ("cumsum(v)", "real[3]"),
        ("solve(eye(3), v)", "real[3]"),
        ("solve(eye(3), transpose(m))", "real[3, 2]"),
        ("concat(v, reals)", "real[7]"),
        ("concat(m, m, axis = 1)", "real[2, 6]"),
        ("stack(v, v)", "real[2, 3]"),
        ("reshape(m, 3, 2)", "real[3, 2]"),
        ("zeros(2, 3)", "real[2, 3]"),
        ("linspace(0, 1, 5)", "real[5]"),
        ("size(m, 1)", "int"),
        ("v[0]", "real"),
        ("m[1]", "real[3]"),
        ("m[0, 1..2]", "real[2]"),
        ("m[0..1, k]", "real[2]"),
        ("if flag then 1 else x", "real"),
        ("if k >= 2 then v else 0", "real[3]"),
        ("x >= 0", "constraint"),
        ("flag and x >= 0", "constraint"),
        ("x ~ normal(0, 1)", "density"),
        ("energy(x)", "energy"),
    ],
)
def test_the_type_of_an_expression(text, type_):
    assert sort_and_shape(text) == type_


def test_a_value_is_known_as_late_as_its_latest_operand():
    assert type_of("1 + 2").stage is Stage.CONSTANT
    assert type_of("k + 2").stage is Stage.GIVEN
    assert type_of("k + x").stage is Stage.UNKNOWN


def test_an_int_beside_a_real_is_converted():
    product = value("k * x")

    assert isinstance(product, Apply)
    left, _ = product.arguments
    assert isinstance(left, Convert)
    assert left.operand.type.sort is Sort.INT


def test_an_int_literal_beside_a_real_becomes_a_real_literal():
    product = value("2 * x")

    assert isinstance(product, Apply)
    left, _ = product.arguments
    assert isinstance(left, Literal)
    assert isinstance(left.value, float)


def test_a_reduction_counts_its_axes_from_the_last():
    assert value("sum(m, 0)").options == (("axes", (-2,)),)
    assert value("sum(m)").options == (("axes", (-2, -1)),)


def test_an_array_literal_stacks_along_a_new_first_axis():
    array = value("[v, v]")

    assert isinstance(array, Apply)
    assert (array.operator, array.options) == ("stack", (("axis", -2),))


def test_a_size_that_data_binds_is_an_integer_known_late():
    size = value("size(y)", "given y: real[N]")

    assert isinstance(size, SizeValue)
    assert str(size.size) == "N"
    assert size.type.stage is Stage.GIVEN


def test_sizes_that_data_binds_are_computed_with():
    assert sort_and_shape("[a for a in y[1..N - 1]]", "given y: real[N]") == "real[N - 1]"
    assert sort_and_shape("[a * b for a, b in pairs(y)]", "given y: real[N]") == "real[N^2/2 - N/2]"


def test_an_index_of_a_constant_real_that_is_whole_is_taken():
    assert isinstance(value("v[4 / 2]"), Index)


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("v + reals", "E0302", "v + reals"),
        ("m @ reals", "E0302", "m @ reals"),
        ("x @ v", "E0310", "x @ v"),
        ("(x >= 0) + 1", "E0301", "(x >= 0)"),
        ("flag + 1", "E0301", "flag"),
        ("-flag", "E0301", "flag"),
        ("sum(x)", "E0310", "x"),
        ("sum(m, 2)", "E0309", "2"),
        ("sum(m, k)", "E0304", "k"),
        ("det(v)", "E0310", "v"),
        ("det(m)", "E0302", "det(m)"),
        ("sqrt(x, 2)", "E0303", "2"),
        ("sqrt()", "E0303", "sqrt()"),
        ("sqrt(y = 2)", "E0303", "y"),
        ("atan2(1, y = 2)", "E0303", "y = 2"),
        ("[x, v]", "E0302", "v"),
        ("[x, flag]", "E0301", "flag"),
        ("[x >= 0]", "E0301", "x >= 0"),
        ("concat(x, v)", "E0310", "x"),
        ("concat(v, m)", "E0302", "concat(v, m)"),
        ("reshape(m, 4)", "E0302", "reshape(m, 4)"),
        ("size(x)", "E0310", "x"),
        ("zeros(k)", "E0304", "k"),
        ("zeros(-1)", "E0311", "-1"),
        ("zeros(1.5)", "E0304", "1.5"),
        ("zeros(10^9)", "E0316", "10^9"),
        ("x[0]", "E0310", "x[0]"),
        ("v[0, 0]", "E0310", "v[0, 0]"),
        ("v[3]", "E0309", "3"),
        ("v[-1]", "E0309", "-1"),
        ("v[0..3]", "E0309", "3"),
        ("v[0..k]", "E0304", "k"),
        ("v[0.5]", "E0301", "0.5"),
        ("v[ints]", "E0310", "ints"),
        ("if x then 1 else 2", "E0301", "x"),
        ("if x >= 0 then 1 else 2", "E0313", "x >= 0"),
        ("if flag then 1 else true", "E0301", "true"),
        ("if flag then x >= 0 else x >= 1", "E0301", "x >= 0"),
        ("if flag then v else reals", "E0302", "if flag then v else reals"),
        ("x.y", "E0209", "y"),
        ("nothing", "E0201", "nothing"),
        ("nothing(x)", "E0204", "nothing"),
        ("normal(0, 1)", "E0204", "normal"),
        ("pairs(v)", "E0204", "pairs"),
        ("x(1)", "E0204", "x"),
        ('"text"', "E0301", '"text"'),
        ("10^10^10", "E0316", "10^10^10"),
        ("9223372036854775807 + 1", "E0316", "9223372036854775807 + 1"),
        ("1 / 0", "E0321", "1 / 0"),
    ],
)
def test_a_wrong_expression_is_reported_at_its_guilty_text(text, code, guilty):
    declarations = "given k: int given flag: bool given ints: int[4] given reals: real[4]"

    found = refusals(f"var x: real var v: real[3] var m: real[2, 3] {declarations} let a = {text}")

    assert found == [(code, guilty)]


def test_what_depends_on_an_error_is_silent():
    found = refusals("let a = nope\nlet b = a + 1\nminimize c: b * b\nrequire d: a >= 0")

    assert found == [("E0201", "nope")]


def test_all_errors_of_a_file_are_found_in_one_run():
    found = refusals("let a = nope + [1, 2][5]\nprefer b: 1 + true\nfn f(c) = c + gone")

    assert [code for code, _ in found] == ["E0201", "E0309", "E0301", "E0201"]


def test_an_index_that_depends_on_unknowns_is_refused():
    assert refusals("given i: int\nvar v: real[3]\nlet a = v[i] + v[floor(v[0])]") == [
        ("E0301", "floor(v[0])")
    ]


def test_the_last_of_a_data_bound_axis_can_be_taken():
    accept("given y: real[N]\nvar x: real\nprefer a: x ~ normal(y[N - 1], 1)")

    found = refusals("given y: real[N]\nvar x: real\nprefer a: x ~ normal(y[N], 1)")

    assert found == [("E0309", "N")]


def test_shapes_that_differ_show_where_they_come_from():
    from tests.check.road import refuse

    (found,) = refuse("var q: real[7]\ngiven goal: real[6]\nminimize reach: norm(q - goal)")

    assert found.headline == "cannot subtract a vector of size 6 from a vector of size 7"
    assert [label.span.text for label in found.secondary] == ["real[7]", "real[6]"]
    assert found.helps == ("take a slice: `q[0..5]`",)
