import pytest

from ebmlang.check.formulas import Call
from ebmlang.check.program import FunctionInstance
from tests.check.road import accept, refusals, refuse, sort_and_shape, term


def instances(program) -> list[FunctionInstance]:
    found = {}
    for each in program.body.terms:
        value = each.value
        if isinstance(value, Call):
            found[id(value.instance)] = value.instance
    return list(found.values())


def test_calls_with_the_same_types_share_an_instance():
    program = accept(
        "fn f(a) = sum(a)\nvar x: real[2]\nvar y: real[2]\nminimize s: f(x)\nminimize t: f(y)"
    )

    (instance,) = instances(program)
    assert str(instance.parameter_types[0]) == "real[2]"


def test_calls_with_other_shapes_have_their_own_instance():
    program = accept(
        "fn f(a) = sum(a)\nvar x: real[2]\nvar y: real[3]\nminimize s: f(x)\nminimize t: f(y)"
    )

    assert [str(i.parameter_types[0]) for i in instances(program)] == ["real[2]", "real[3]"]


def test_whole_constant_arguments_are_known_inside():
    declarations = "fn grid(n, m) = zeros(n, 2 * m)"

    assert sort_and_shape("grid(2, 3)", declarations) == "real[2, 6]"
    assert sort_and_shape("grid(m = 1, n = 4)", declarations) == "real[4, 2]"


def test_a_result_that_is_a_fixed_number_is_a_size():
    assert sort_and_shape("zeros(double(3))", "fn double(n) = 2 * n") == "real[6]"


def test_a_size_name_in_a_parameter_is_bound_by_the_argument():
    declarations = "fn pad(a: real[N]) = concat(a, zeros(N + 1))"

    assert sort_and_shape("pad(v)", declarations) == "real[7]"


def test_a_parameter_may_fix_the_size_of_another():
    declarations = "fn head(n: int, a: real[n + 1]) = a[0..n - 1]"

    assert sort_and_shape("head(2, v)", declarations) == "real[2]"


def test_declared_parameters_convert_their_arguments():
    program = accept("fn f(a: real) = a\nminimize t: f(2) * x\nvar x: real")

    call = term(program, "t").value.arguments[0]
    assert str(call.instance.parameter_types[0]) == "real"


def test_functions_close_over_the_names_around_them():
    accept(
        """
        var x: real
        spec s(a) { fn f(b) = a * b + x  var y: real  prefer t: f(y) >= 0 }
        part p = s(2)
        """
    )


def test_functions_calling_twice_thirty_deep_are_cheap():
    lines = ["fn f0(x) = x"]
    lines += [f"fn f{i}(x) = f{i - 1}(x) + f{i - 1}(x)" for i in range(1, 31)]

    accept("\n".join([*lines, "var x: real", "minimize t: f30(x)"]))


def test_functions_that_multiply_out_in_types_are_stopped():
    lines = ["fn f0(n) = n"]
    lines += [f"fn f{i}(n) = f{i - 1}(2 * n) + f{i - 1}(2 * n + 1)" for i in range(1, 31)]

    found = refusals("\n".join([*lines, "var x: real", "minimize t: f30(1) * x"]))

    assert [code for code, _ in found] == ["E0316"]


def test_calls_count_as_nesting():
    lines = ["fn f0(x) = x"]
    lines += [f"fn f{i}(x) = f{i - 1}(x) + 1" for i in range(1, 301)]

    found = refusals("\n".join([*lines, "var x: real", "minimize t: f300(x)"]))

    assert [code for code, _ in found] == ["E0105"]


def test_calls_count_as_nesting_also_when_their_instances_are_known():
    lines = ["var x: real", "fn f0(x) = x", "let a0 = f0(x)"]
    for i in range(1, 301):
        lines += [f"fn f{i}(x) = f{i - 1}(x) + 1", f"let a{i} = f{i}(x)"]

    codes = {code for code, _ in refusals("\n".join(lines))}

    assert codes == {"E0105"}


def test_an_error_inside_shows_the_calls_that_lead_there():
    (found,) = refuse(
        "fn gap(a, b) = norm(a - b)\nfn near(a, b) = gap(a, b) <= 1\n"
        "var x: real[3]\nprefer t: near(x, [0, 0])"
    )

    assert found.primary.span.text == "a - b"
    calls = [label for label in found.secondary if label.text.startswith("called here")]
    assert [label.span.text for label in calls] == ["gap(a, b)", "near(x, [0, 0])"]
    assert calls[1].text == "called here with real[3], int[2]"


def test_an_error_inside_a_function_is_reported_once():
    text = "fn f(a) = a + true\nvar x: real\nminimize s: f(x)\nminimize t: f(2 * x)"

    assert refusals(text) == [("E0301", "true")]


def test_a_declared_function_that_nothing_calls_is_checked():
    assert refusals("fn f(a: real[2]) = a @ [1, 2, 3]") == [("E0302", "a @ [1, 2, 3]")]


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("f(x)", "E0303", "f(x)"),
        ("f(x, x, x)", "E0303", "x"),
        ("f(x, c = 1)", "E0303", "c"),
        ("g(v, v)", "E0302", "v"),
        ("g(x, x)", "E0302", "x"),
        ("g(x >= 0, w)", "E0301", "x >= 0"),
        ("h(x)", "E0301", "x"),
        ("same(v, w)", "E0302", "w"),
        ("flagged(x >= 0)", "E0313", "x >= 0"),
        ("flagged(1)", "E0301", "1"),
    ],
)
def test_wrong_arguments_are_reported_at_the_call(text, code, guilty):
    declarations = """
        var x: real var v: real[3] var w: real[2]
        fn f(a, b) = a + b
        fn g(a: real[2], b: real[2]) = a + b
        fn h(n: int) = n
        fn same(a: real[N], b: real[N]) = a + b
        fn flagged(c: bool) = if c then 1 else 2
    """

    assert refusals(f"{declarations} let a = {text}") == [(code, guilty)]


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("fn f(a: simplex[2]) = a", "E0312", "simplex[2]"),
        ("fn f(a: real in [0, 1]) = a", "E0108", "real in [0, 1]"),
        ("fn f(a: array[2] of real) = a", "E0108", "array[2] of real"),
    ],
)
def test_a_wrong_parameter_is_reported(text, code, guilty):
    assert refusals(text) == [(code, guilty)]


def test_a_spec_without_variables_is_an_expression():
    declarations = """
        spec inside(a) { require low: a >= 0  prefer high: a <= 1 weight 2 }
        spec pulled(a) { prefer t: a ~ normal(0, 1) }
        spec cheap(a) { minimize t: a }
    """

    assert sort_and_shape("inside(x) or not inside(x + 1)", declarations) == "constraint"
    assert sort_and_shape("pulled(x)", declarations) == "energy"
    assert sort_and_shape("cheap(x)", declarations) == "energy"


@pytest.mark.parametrize(
    "body", ["var y: real prefer t: y >= a", "given y: real prefer t: y >= a", "part q = deep()"]
)
def test_a_spec_with_variables_or_inputs_is_not_an_expression(body):
    text = f"""
        spec deep() {{ var z: real prefer t: z >= 0 }}
        spec s(a) {{ {body} }}
        var x: real
        prefer t: s(x)
    """

    assert refusals(text) == [("E0317", "s(x)")]


def test_parts_have_weights_and_share_instances():
    program = accept(
        """
        spec leg(hip) { var knee: real  prefer bend: knee >= hip }
        part left = leg(1.0) weight 2
        part right = leg(2.0)
        """
    )

    left, right = program.body.definitions
    assert (left.weight, right.weight) == (2.0, 1.0)
    assert left.instance is right.instance


@pytest.mark.parametrize(
    ("weight", "code"), [("0", "E0311"), ("-1", "E0311"), ("inf", "E0311"), ("k", "E0304")]
)
def test_the_weight_of_a_part_is_a_positive_constant(weight, code):
    text = f"given k: real spec s() {{ var y: real prefer t: y >= k }} part p = s() weight {weight}"

    assert refusals(text) == [(code, weight)]


def test_a_size_name_inside_a_spec_belongs_to_the_spec():
    program = accept(
        """
        spec fit(a) { given y: real[N]  prefer t: y ~ normal(a, 1) }
        given z: real[N]
        var x: real
        part p = fit(x)
        prefer t: z ~ normal(x, 1)
        """
    )

    assert program.sizes == ("N",)


def test_a_size_name_known_only_inside_a_spec_has_the_name_of_the_spec():
    program = accept(
        """
        spec fit(a) { given y: real[N]  prefer t: y ~ normal(a, 1) }
        var x: real
        part p = fit(x)
        """
    )

    assert program.sizes == ("fit.N",)
