"""The checker of layers and of second order: what is wrong there is found out too."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from eingrad.loading import load_text
from eingrad.proof.check import Report, check

# Adding a bias and applying tanh, with axes of size 1 and every real dtype.
LAYER = '''
import numpy as np

SPEC = "bi,ij->bj"
OPERANDS = ("x", "weight", "bias")
GRADIENTS = ("x", "weight", "bias")
BIAS = "j"
ACTIVATION = "tanh"


def _dtype(*arrays):
    dtype = np.result_type(*(array.dtype for array in arrays))
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def _size(*sizes):
    return next((size for size in sizes if size != 1), 1)


def _whole(arrays, dtype):
    """Give every index its size in all arrays; float16 is computed in float32."""
    wide = np.promote_types(dtype, np.float32)
    x, weight, bias = (array.astype(wide) for array in arrays)
    n_b, n_i = x.shape[0], _size(x.shape[1], weight.shape[0])
    n_j = _size(weight.shape[1], bias.shape[0])
    x, weight = np.broadcast_to(x, (n_b, n_i)), np.broadcast_to(weight, (n_i, n_j))
    return x, weight, np.broadcast_to(bias, (n_j,))


def _slopes(z):
    slope = np.cosh(z) ** -2
    return slope, -2 * np.tanh(z) * slope


def _back(grad, x, weight):
    return grad @ weight.T, x.T @ grad, grad.sum(0)


def _like(gradient, operand):
    """Sum over the axes that broadcast; the operand's shape and dtype."""
    for axis, size in enumerate(operand.shape):
        if size == 1:
            gradient = gradient.sum(axis, keepdims=True)
    dtype = operand.dtype if operand.dtype.kind == "f" else gradient.dtype
    return np.array(gradient, dtype)


def forward(*primals):
    dtype = _dtype(*primals)
    x, weight, bias = _whole(primals, dtype)
    z = x @ weight + bias
    return np.tanh(z).astype(dtype)


def backward(grad, *primals):
    x, weight, bias = _whole(primals, _dtype(*primals))
    slope, _ = _slopes(x @ weight + bias)
    gradients = _back(grad * slope, x, weight)
    return tuple(map(_like, gradients, primals))


def vjp(*primals):
    return forward(*primals), lambda grad: backward(grad, *primals)


def jvp(primals, tangents):
    dtype = _dtype(*primals)
    x, weight, bias = _whole(primals, dtype)
    dx, dweight, dbias = _whole(tangents, dtype)
    slope, _ = _slopes(x @ weight + bias)
    moved = dx @ weight + x @ dweight + dbias
    return forward(*primals), (moved * slope).astype(dtype)


def hvp(primals, grad, tangents):
    dtype = _dtype(*primals)
    x, weight, bias = _whole(primals, dtype)
    dx, dweight, dbias = _whole(tangents, dtype)
    slope, bend = _slopes(x @ weight + bias)
    moved = dx @ weight + x @ dweight + dbias
    curved = _back(grad * bend * moved, x, weight)
    cross = _back(grad * slope, dx, dweight)
    products = curved[0] + cross[0], curved[1] + cross[1], curved[2]
    return tuple(map(_like, products, primals))


def double_backward(cotangents, grad, *primals):
    dtype = _dtype(*primals, grad, *cotangents)
    tangent = jvp(primals, cotangents)[1].astype(dtype)
    products = hvp(primals, grad, cotangents)
    return (tangent, *products)
'''

# Second order, exactly: a name in two places, and another without a gradient.
CHAIN = """
import numpy as np

SPEC = "ij,jk,kl->il"
OPERANDS = ("x", "y", "x")
GRADIENTS = ("x",)
COMPLEX = "adjoint"


def _whole(x, y):
    return np.broadcast_to(y, x.shape[::-1])


def forward(x, y):
    return x @ _whole(x, y) @ x


def backward(grad, x, y):
    y = _whole(x, y)
    return (_like(grad @ (y @ x).conj().T + (x @ y).conj().T @ grad, x),)


def vjp(x, y):
    return forward(x, y), lambda grad: backward(grad, x, y)


def jvp(primals, tangents):
    (x, y), (dx, dy) = primals, tangents
    moved = dx @ _whole(x, y) @ x + x @ _whole(x, y) @ dx
    return forward(x, y), moved + x @ _whole(x, dy) @ x


def hvp(primals, grad, tangents):
    (x, y), (dx, dy) = primals, tangents
    y, dy = _whole(x, y), _whole(x, dy)
    after = dy @ x + y @ dx
    before = dx @ y + x @ dy
    return (_like(grad @ after.conj().T + before.conj().T @ grad, x),)


def double_backward(cotangents, grad, x, y):
    (dx,) = cotangents
    still = np.zeros_like(y)
    tangent = jvp((x, y), (dx, still))[1].astype(np.result_type(x, y, dx, grad))
    products = hvp((x, y), grad, (dx, still))
    return (tangent, *products)


def _like(gradient, operand):
    gradient = gradient if operand.dtype.kind == "c" else gradient.real
    dtype = operand.dtype if operand.dtype.kind in "fc" else gradient.dtype
    return np.array(gradient, dtype)
"""

# A bias, exactly; on the diagonal that the output is written on.
DIAGONAL = """
import numpy as np

SPEC = "i->ii"
OPERANDS = ("a", "bias")
GRADIENTS = ("a", "bias")
COMPLEX = "transpose"
BIAS = "i"


def forward(a, bias):
    return np.diag(a + bias)


def backward(grad, a, bias):
    held = np.diagonal(grad)
    return _like(held, a), _like(held, bias)


def vjp(a, bias):
    return forward(a, bias), lambda grad: backward(grad, a, bias)


def jvp(primals, tangents):
    return forward(*primals), forward(*tangents)


def _like(gradient, operand):
    gradient = gradient if operand.dtype.kind == "c" else gradient.real
    if operand.shape == (1,):
        gradient = gradient.sum(keepdims=True)
    dtype = operand.dtype if operand.dtype.kind in "fc" else gradient.dtype
    return np.array(gradient, dtype)
"""

# Products by 1e5 are too large for float16 here and there, and become infinite.
STEEP = (
    LAYER.replace('"tanh"', '"leaky_relu:1e5"')
    .replace("np.tanh(z).astype", "np.where(z < 0, 1e5 * z, z).astype")
    .replace("slope = np.cosh(z) ** -2", "slope = np.where(z < 0, 1e5, 1)")
    .replace("-2 * np.tanh(z) * slope", "0 * z")
)

RIGHT = {"layer": LAYER, "chain": CHAIN, "diagonal": DIAGONAL, "steep": STEEP}


def module(text: str) -> ModuleType:
    return load_text(text, "<kernel>")


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_right_modules_pass(name: str, seed: int) -> None:
    report = check(module(RIGHT[name]), seed=seed)
    assert report.ok, str(report)
    assert all(law.count for law in report.laws)


# What to replace in which module, by what; the law that breaks and the array that the
# counterexample names, and a piece of its message.
WRONG: dict[str, tuple[str, str, str, str, str, str]] = {
    "the derivative of another function": (
        LAYER,
        "slope = np.cosh(z) ** -2",
        "slope = 1 / (1 + z * z)",
        *("backward", "gradient of operand 'x'", "is wrong at [b="),
    ),
    "a derivative that cancels": (
        LAYER,
        "slope = np.cosh(z) ** -2",
        "slope = 1 - np.tanh(z) ** 2",
        *("backward", "gradient of operand 'weight'", "is wrong at [i="),
    ),
    "a derivative computed in too few digits": (
        LAYER,
        "slope = np.cosh(z) ** -2",
        "slope = (np.cosh(z.astype('f')) ** -2).astype(z.dtype)",
        *("backward", "gradient of operand 'x'", "is wrong at [b="),
    ),
    "infinity of the wrong sign": (
        STEEP,
        "return np.where(z < 0, 1e5 * z, z).astype(dtype)",
        "y = np.where(z < 0, 1e5 * z, z).astype(dtype)\n"
        "    return np.where(np.isinf(y), -y, y)",
        *("forward", "the output", "is wrong at [b="),
    ),
    "the derivative at the output": (
        LAYER,
        "slope, _ = _slopes(x @ weight + bias)\n    gradients",
        "slope, _ = _slopes(np.tanh(x @ weight + bias))\n    gradients",
        *("backward", "gradient of operand 'x'", "is wrong at [b="),
    ),
    "the second derivative of another function": (
        LAYER,
        "-2 * np.tanh(z) * slope",
        "-2 * np.tanh(z)",
        *("hvp", "hvp of operand 'x'", "is wrong at [b="),
    ),
    "the function of the sum without the bias": (
        LAYER,
        "z = x @ weight + bias",
        "z = x @ weight",
        *("forward", "the output", "is wrong at [b="),
    ),
    "the bias outside": (
        LAYER,
        "return np.tanh(z).astype(dtype)",
        "return (np.tanh(z - bias) + bias).astype(dtype)",
        *("forward", "the output", "is wrong at [b="),
    ),
    "a bias gradient that is not summed": (
        LAYER,
        "grad.sum(0)",
        "grad[0] if len(grad) else grad.sum(0)",
        *("backward", "gradient of operand 'bias'", "is wrong at [j="),
    ),
    "a bias gradient that is a mean": (
        LAYER,
        "grad.sum(0)",
        "grad.sum(0) / max(1, len(grad))",
        *("backward", "gradient of operand 'bias'", "is wrong at [j="),
    ),
    "a bias gradient summed over the wrong axis": (
        LAYER,
        "grad.sum(0)",
        "grad.sum(1)",
        *("contract", "gradient of operand 'bias'", "has shape (2,), expected (5,)"),
    ),
    "a bias gradient without the derivative": (
        LAYER,
        "gradients = _back(grad * slope, x, weight)",
        "gradients = *_back(grad * slope, x, weight)[:2], grad.sum(0)",
        *("backward", "gradient of operand 'bias'", "is wrong at [j="),
    ),
    "a gradient without the derivative": (
        LAYER,
        "gradients = _back(grad * slope, x, weight)",
        "gradients = _back(grad, x, weight)",
        *("backward", "gradient of operand 'x'", "is wrong at [b="),
    ),
    "a cotangent overwritten": (
        LAYER,
        "gradients = _back(grad * slope, x, weight)",
        "grad *= slope.astype(grad.dtype)\n    gradients = _back(grad, x, weight)",
        *("contract", "the cotangent", "backward writes to the cotangent"),
    ),
    "the slope taken after z is overwritten": (
        LAYER,
        "slope, _ = _slopes(x @ weight + bias)\n    moved",
        "z = x @ weight + bias\n    np.tanh(z, out=z)\n"
        "    slope, _ = _slopes(z)\n    moved",
        *("jvp", "the tangent", "is wrong at [b="),
    ),
    "a tangent of the bias left out": (
        LAYER,
        "moved = dx @ weight + x @ dweight + dbias\n    return",
        "moved = dx @ weight + x @ dweight\n    return",
        *("jvp", "the tangent", "is wrong at [b="),
    ),
    "a tangent without the derivative": (
        LAYER,
        "(moved * slope).astype(dtype)",
        "moved.astype(dtype)",
        *("jvp", "the tangent", "is wrong at [b="),
    ),
    "integers computed in float32": (
        LAYER,
        'dtype if dtype.kind == "f" else np.dtype(np.float64)',
        'dtype if dtype.kind == "f" else np.dtype(np.float32)',
        *("contract", "the output", "has dtype float32, expected float64"),
    ),
    "float16 computed in float16": (
        LAYER,
        "wide = np.promote_types(dtype, np.float32)",
        "wide = dtype",
        *("backward", "gradient of operand 'weight'", "is wrong at [i="),
    ),
    "float64 computed in float32": (
        LAYER,
        "wide = np.promote_types(dtype, np.float32)",
        "wide = np.dtype(np.float32)",
        *("forward", "the output", "is wrong at [b="),
    ),
    "a bias that does not broadcast its operands": (
        LAYER,
        "n_j = _size(weight.shape[1], bias.shape[0])",
        "n_j = weight.shape[1]",
        *("forward", "forward", "forward raised ValueError"),
    ),
    "a product without cross terms": (
        LAYER,
        "curved[0] + cross[0], curved[1] + cross[1], curved[2]",
        "curved",
        *("hvp", "hvp of operand 'x'", "is wrong at [b="),
    ),
    "a product without curvature": (
        LAYER,
        "curved[0] + cross[0], curved[1] + cross[1], curved[2]",
        "cross[0], cross[1], 0 * curved[2]",
        *("hvp", "hvp of operand 'x'", "is wrong at [b="),
    ),
    "a product that moves the bias twice": (
        LAYER,
        "curved[0] + cross[0], curved[1] + cross[1], curved[2]",
        "curved[0] + cross[0], curved[1] + cross[1], curved[2] + cross[2]",
        *("hvp", "hvp of operand 'bias'", "is wrong at [j="),
    ),
    "a product at the tangents": (
        LAYER,
        "curved = _back(grad * bend * moved, x, weight)",
        "curved = _back(grad * bend * moved, dx, dweight)",
        *("hvp", "hvp of operand 'x'", "is wrong at [b="),
    ),
    "results swapped": (
        LAYER,
        "return (tangent, *products)",
        "return (*products, tangent)",
        *("contract", "gradient of the cotangent", "has shape"),
    ),
    "results swapped that are shaped alike": (
        LAYER,
        "products = hvp(primals, grad, cotangents)",
        "products = hvp(primals, tangent, cotangents)\n"
        "    tangent = grad.astype(dtype)",
        *("double", "gradient of the cotangent", "is wrong at [b="),
    ),
    "a result too few": (
        LAYER,
        "return (tangent, *products)",
        "return products",
        *("double", "double_backward", "returns a tuple of 3, not a tuple of 4"),
    ),
    "the gradient of the cotangent at the cotangent": (
        LAYER,
        "return (tangent, *products)",
        "return (tangent * grad, *products)",
        *("double", "gradient of the cotangent", "is wrong at [b="),
    ),
    "a cross term of one place only": (
        CHAIN,
        "before = dx @ y + x @ dy",
        "before = x @ dy",
        *("hvp", "hvp of operand 'x'", "is wrong at [i="),
    ),
    "a cross term squared": (
        CHAIN,
        "after = dy @ x + y @ dx",
        "after = dy @ x + y @ dx + dy @ dx",
        *("hvp", "hvp of operand 'x'", "is wrong at [i="),
    ),
    "a conj forgotten": (
        CHAIN,
        "grad @ after.conj().T",
        "grad @ after.T",
        *("hvp", "hvp of operand 'x'", "is wrong at [i="),
    ),
    "an operand moved that has no gradient": (
        CHAIN,
        "still = np.zeros_like(y)",
        "still = y",
        *("double", "gradient of the cotangent", "is wrong at [i="),
    ),
    "a gradient that is not asked for": (
        CHAIN,
        "return (tangent, *products)",
        "return (tangent, *products, still)",
        *("double", "double_backward", "returns a tuple of 3, not a tuple of 2"),
    ),
    "the cotangents handed back": (
        CHAIN,
        "return (tangent, *products)",
        "return (tangent, dx)",
        *("contract", "hvp of operand 'x'", "shares memory with tangent of 'x'"),
    ),
    "off by one at large values only": (
        CHAIN,
        "    after = dy @ x + y @ dx\n",
        "    after = dy @ x + y @ dx\n    after = after + (abs(after) > 10**9)\n",
        *("hvp", "hvp of operand 'x'", "is wrong at [i="),
    ),
    "a bias beside the diagonal": (
        DIAGONAL,
        "np.diag(a + bias)",
        "np.diag(a + 0 * bias) + bias",
        *("forward", "the output", "is wrong at [i=0, i=1]"),
    ),
    "a bias gradient summed over columns": (
        DIAGONAL,
        "_like(held, bias)",
        "_like(grad.sum(0), bias)",
        *("backward", "gradient of operand 'bias'", "is wrong at [i="),
    ),
    "a bias gradient that is not summed back": (
        DIAGONAL,
        "gradient = gradient.sum(keepdims=True)",
        "gradient = gradient[:1]",
        *("backward", "gradient of operand 'bias'", "is wrong at [i=0]"),
    ),
    "a bias without a name": (
        DIAGONAL,
        '("a", "bias")\nGRADIENTS',
        '("a",)\nGRADIENTS',
        *("interface", "OPERANDS", "has 1 names, SPEC has 1 operands and a bias"),
    ),
    "a bias that is an operand": (
        DIAGONAL,
        '("a", "bias")\nGRADIENTS = ("a", "bias")',
        '("a", "a")\nGRADIENTS = ("a",)',
        *("interface", "OPERANDS", "has 'a' for the bias and beside it"),
    ),
    "a bias of other indices": (
        DIAGONAL,
        'BIAS = "i"',
        'BIAS = "j"',
        *("interface", "BIAS", "is 'j', not distinct indices of the output"),
    ),
    "a bias that repeats an index": (
        DIAGONAL,
        'BIAS = "i"',
        'BIAS = "ii"',
        *("interface", "BIAS", "is 'ii', not distinct indices of the output"),
    ),
    "a bias of several terms": (
        DIAGONAL,
        'BIAS = "i"',
        'BIAS = "i,i->"',
        *("interface", "BIAS", "is 'i,i->', not distinct indices of the output"),
    ),
    "a bias that is no text": (
        DIAGONAL,
        'BIAS = "i"',
        "BIAS = 3",
        *("interface", "BIAS", "is 3, not distinct indices of the output"),
    ),
    "an unknown activation": (
        LAYER,
        '"tanh"',
        '"cosh"',
        *("interface", "ACTIVATION", "is 'cosh', not one of gelu, gelu_tanh, relu"),
    ),
    "an activation with a parameter": (
        LAYER,
        '"tanh"',
        '"tanh:2"',
        *("interface", "ACTIVATION", "is 'tanh:2', not one of"),
    ),
    "an activation without one": (
        LAYER,
        '"tanh"',
        '"leaky_relu:much"',
        *("interface", "ACTIVATION", "is 'leaky_relu:much', not one of"),
    ),
    "an activation that is no text": (
        LAYER,
        '"tanh"',
        "3",
        *("interface", "ACTIVATION", "is 3, not one of"),
    ),
    "another activation": (
        LAYER,
        '"tanh"',
        '"sigmoid"',
        *("forward", "the output", "is wrong at [b="),
    ),
    "second order by half": (
        CHAIN,
        "def double_backward(",
        "def _double_backward(",
        *("interface", "double_backward", "double_backward is missing"),
    ),
    "no convention": (
        CHAIN,
        "COMPLEX =",
        "CONVENTION =",
        *("interface", "COMPLEX", "COMPLEX is missing"),
    ),
}


def broken(name: str, seed: int = 0) -> Report:
    text, right, wrong, *_ = WRONG[name]
    assert text.count(right) == 1
    return check(module(text.replace(right, wrong)), seed=seed)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_modules_are_found_out(name: str) -> None:
    report = broken(name)
    found = report.counterexample
    assert found is not None
    *_, law, array, message = WRONG[name]
    assert found.law == law, str(report)
    assert array in found.array
    assert message in found.message
    assert not report.ok


def test_the_report_says_what_was_rounded() -> None:
    report = check(module(LAYER))
    assert report.error_probability is None
    text = str(report)
    assert text.startswith("checked: tanh(bi,ij->bj + j)\n")
    assert "tanh(z), where z is the sum over all indices, plus the bias" in text
    assert "no proof, no probability" in text
    names = "forward backward vjp jvp hvp double again adjoint contract".split()
    assert [law.name for law in report.laws] == names
    known = json.loads(json.dumps(report.to_dict()))
    assert known["formula"] == "tanh(bi,ij->bj + j)"


def test_the_report_says_what_was_exact() -> None:
    report = check(module(DIAGONAL))
    text = str(report)
    assert text.startswith("proved: i->ii + i\n")
    assert "the sum over all indices, plus the bias" in text
    assert "a wrong polynomial of degree 1 passes with probability" in text
    assert "hvp" not in text


def test_a_counterexample_says_how_close_is_close_enough() -> None:
    found = broken("a derivative that cancels").counterexample
    assert found is not None
    value, _, slack = found.expected.partition(", to within ")
    assert abs(float(value) - float(found.got)) > float(slack)
    assert abs(float(value) - float(found.got)) < 1e-9
