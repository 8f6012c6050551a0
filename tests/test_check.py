"""The checker: right modules pass, and every way of being wrong is named."""

from __future__ import annotations

import itertools
import json
import math
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eingrad import generate
from eingrad.errors import EingradError, OptionError
from eingrad.loading import load_file
from eingrad.proof import bounds
from eingrad.proof.check import check
from eingrad.proof.draws import CELLS, plan
from eingrad.proof.memory import extents, overlap
from eingrad.proof.views import VARIED, Draw, Subject

LIKE = '''
def _like(gradient, operand):
    """Sum over the axes that broadcast; the operand's shape and dtype."""
    while gradient.ndim > operand.ndim:
        gradient = gradient.sum(0)
    for axis, size in enumerate(operand.shape):
        if size == 1:
            gradient = gradient.sum(axis, keepdims=True)
    if operand.dtype.kind != "c":
        gradient = gradient.real
    dtype = operand.dtype if operand.dtype.kind in "fc" else gradient.dtype
    return np.array(gradient, dtype)
'''

MATMUL = (
    '''
import numpy as np

SPEC = "ij,jk->ik"
OPERANDS = ("left", "right")
GRADIENTS = ("left", "right")
COMPLEX = "adjoint"


def _whole(left, right):
    """Give index j its size in both operands."""
    size = right.shape[0] if left.shape[1] == 1 else left.shape[1]
    left = np.broadcast_to(left, (left.shape[0], size))
    return left, np.broadcast_to(right, (size, right.shape[1]))


def forward(left, right):
    a, b = _whole(left, right)
    product = a @ b
    return product


def backward(grad, left, right):
    a, b = _whole(left, right)
    grad_left = _like(grad @ b.conj().T, left)
    grad_right = _like(a.conj().T @ grad, right)
    return grad_left, grad_right


def vjp(left, right):
    def pullback(grad):
        return backward(grad, left, right)

    return forward(left, right), pullback


def jvp(primals, tangents):
    (left, right), (d_left, d_right) = primals, tangents
    return forward(left, right), forward(d_left, right) + forward(left, d_right)
'''
    + LIKE
)

# A name that stands in two places.
SQUARE = """
import numpy as np

SPEC = "ij,jk->ik"
OPERANDS = ("x", "x")
GRADIENTS = ("x",)
COMPLEX = "adjoint"


def forward(x):
    return x @ x


def backward(grad, x):
    total = grad @ x.conj().T + x.conj().T @ grad
    if x.dtype.kind in "fc":
        total = total.astype(x.dtype)
    return (total,)


def vjp(x):
    return forward(x), lambda grad: backward(grad, x)


def jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return x @ x, dx @ x + x @ dx
"""

# An ellipsis that is summed away, and the gradient of one operand only.
ROWS = (
    """
import numpy as np

SPEC = "...i,...i->i"
OPERANDS = ("a", "b")
GRADIENTS = ("b",)
COMPLEX = "transpose"


def forward(a, b):
    product = a * b
    return product.sum(tuple(range(product.ndim - 1)))


def backward(grad, a, b):
    return (_like(np.broadcast_to(grad * a, np.broadcast(grad, a, b).shape), b),)


def vjp(a, b):
    return forward(a, b), lambda grad: backward(grad, a, b)


def jvp(primals, tangents):
    (a, b), (da, db) = primals, tangents
    return forward(a, b), forward(da, b) + forward(a, db)
"""
    + LIKE
)

# Only views until they are copied.
DIAGONAL = """
import numpy as np

SPEC = "ii->i"
OPERANDS = ("matrix",)
GRADIENTS = ("matrix",)
COMPLEX = "adjoint"


def forward(matrix):
    return np.diagonal(matrix).copy()


def backward(grad, matrix):
    gradient = np.zeros(matrix.shape, matrix.dtype)
    np.fill_diagonal(gradient, grad)
    return (gradient,)


def vjp(matrix):
    return forward(matrix), lambda grad: backward(grad, matrix)


def jvp(primals, tangents):
    return forward(*primals), forward(*tangents)
"""

# A new index in the output.
COPIES = """
import numpy as np

SPEC = "->i"
OPERANDS = ("value",)
GRADIENTS = ("value",)
COMPLEX = "adjoint"
SIZES = {"i": 4}


def forward(value):
    return np.full(4, value)


def backward(grad, value):
    dtype = value.dtype if value.dtype.kind in "fc" else grad.dtype
    return (np.array(grad.sum(), dtype),)


def vjp(value):
    return forward(value), lambda grad: backward(grad, value)


def jvp(primals, tangents):
    return forward(*primals), forward(*tangents)
"""


def outer(count: int) -> str:
    """Return a module for the outer product of ``count`` vectors."""
    letters = [chr(0x4E00 + k) for k in range(count)]
    names = tuple(f"v{k}" for k in range(count))
    return f'''
import numpy as np

SPEC = "{",".join(letters)}->{"".join(letters)}"
OPERANDS = {names}
GRADIENTS = {names}
COMPLEX = "adjoint"


def forward(*vectors):
    product = vectors[0].copy()
    for vector in vectors[1:]:
        product = np.multiply.outer(product, vector)
    return product


def backward(grad, *vectors):
    gradients = []
    for place, vector in enumerate(vectors):
        left = grad
        for axis in reversed(range(len(vectors))):
            if axis != place:
                left = np.tensordot(left, vectors[axis].conj(), ([axis], [0]))
        dtype = vector.dtype if vector.dtype.kind in "fc" else left.dtype
        left = left if dtype.kind == "c" else left.real
        gradients.append(left.astype(dtype))
    return tuple(gradients)


def vjp(*vectors):
    return forward(*vectors), lambda grad: backward(grad, *vectors)


def jvp(primals, tangents):
    tangent = 0
    for place, moved in enumerate(tangents):
        tangent += forward(*primals[:place], moved, *primals[place + 1 :])
    return forward(*primals), tangent
'''


RIGHT = {
    "matmul": MATMUL,
    "square": SQUARE,
    "rows": ROWS,
    "diagonal": DIAGONAL,
    "copies": COPIES,
    "outer": outer(10),
}

Load = Callable[[str], object]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write_and_load(text: str) -> object:
        file = tmp_path / "kernel.py"
        file.write_text(text, "utf-8")
        return load_file(file)

    return write_and_load


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("seed", [0, 1])
def test_right_modules_pass(load: Load, name: str, seed: int) -> None:
    report = check(load(RIGHT[name]), seed=seed)
    assert report.ok, str(report)
    assert report.counterexample is None
    assert all(law.count for law in report.laws)
    assert report.error_probability is not None
    assert report.error_probability < 1e-5


# What to replace in which module, by what; the law that breaks and the array that the
# counterexample names, and a piece of its message.
WRONG: dict[str, tuple[str, str, str, str, str, str]] = {
    "output transposed": (
        MATMUL,
        "return product",
        "return np.array(product.T)",
        *("contract", "the output", "has shape"),
    ),
    "transposes swapped, shape kept": (
        SQUARE,
        "grad @ x.conj().T",
        "grad @ x.conj()",
        *("backward", "gradient of operand 'x'", "is wrong at [i="),
    ),
    "a conj forgotten": (
        MATMUL,
        "grad @ b.conj().T",
        "grad @ b.T",
        *("backward", "gradient of operand 'left'", "is wrong at [i="),
    ),
    "a conj too many": (
        ROWS,
        "grad * a,",
        "grad * a.conj(),",
        *("backward", "gradient of operand 'b'", "is wrong at [i="),
    ),
    "the other convention": (
        MATMUL,
        '"adjoint"',
        '"transpose"',
        *("backward", "gradient of operand 'left'", "is wrong"),
    ),
    "real part forgotten": (
        MATMUL,
        'if operand.dtype.kind != "c":',
        "if False:",
        *("backward", "backward", "backward raised"),
    ),
    "imaginary part": (
        MATMUL,
        "gradient = gradient.real",
        "gradient = gradient.real + gradient.imag",
        *("backward", "gradient of operand 'left'", "is wrong"),
    ),
    "summed over the wrong axis": (
        ROWS,
        "sum(tuple(range(product.ndim - 1)))",
        "sum(tuple(range(1, product.ndim)))",
        *("contract", "the output", "has shape"),
    ),
    "off by a factor": (
        MATMUL,
        "product = a @ b",
        "product = 2 * (a @ b)",
        *("forward", "the output", "is wrong at [i=0, k=0]"),
    ),
    "off by one at large values only": (
        MATMUL,
        "product = a @ b",
        "product = a @ b; product = product + (abs(product) > 10**12)",
        *("forward", "the output", "is wrong"),
    ),
    "one place of two": (
        SQUARE,
        "total = grad @ x.conj().T + x.conj().T @ grad",
        "total = 2 * (grad @ x.conj().T)",
        *("backward", "gradient of operand 'x'", "is wrong"),
    ),
    "a view of the operand": (
        DIAGONAL,
        "return np.diagonal(matrix).copy()",
        "return np.lib.stride_tricks.as_strided("
        "matrix, matrix.shape[:1], (sum(matrix.strides),))",
        *("contract", "the output", "shares memory with operand 'matrix'"),
    ),
    "read-only": (
        DIAGONAL,
        "return np.diagonal(matrix).copy()",
        "return np.diagonal(matrix)",
        *("contract", "the output", "is read-only"),
    ),
    "the cotangent handed back": (
        SQUARE,
        "return (total,)",
        "return (grad,)",
        *("contract", "gradient of operand 'x'", "shares memory with the cotangent"),
    ),
    "entries that share memory": (
        COPIES,
        "return np.full(4, value)",
        "return np.lib.stride_tricks.as_strided(np.array(value), (4,), (0,))",
        *("contract", "the output", "a stride of 0"),
    ),
    "output and tangent are one": (
        COPIES,
        "return forward(*primals), forward(*tangents)",
        "both = np.stack([forward(*primals), forward(*tangents)])\n"
        "    return both[0], both[0]",
        *("contract", "the output", "shares memory with the tangent"),
    ),
    "an operand written to": (
        MATMUL,
        "product = a @ b",
        "product = a @ b; left *= 2",
        *("contract", "operand 'left'", "forward writes to operand 'left'"),
    ),
    "the cotangent written to": (
        DIAGONAL,
        "return (gradient,)",
        "grad[...] = 0; return (gradient,)",
        *("contract", "the cotangent", "backward writes to the cotangent"),
    ),
    "a gradient's dtype": (
        MATMUL,
        'operand.dtype if operand.dtype.kind in "fc" else gradient.dtype',
        "gradient.dtype",
        *("contract", "gradient of operand 'left'", "has dtype float64, expected"),
    ),
    "an output's dtype": (
        MATMUL,
        "product = a @ b",
        "product = a @ b + 0.0",
        *("contract", "the output", "has dtype float64, expected int64"),
    ),
    "a NumPy scalar": (
        COPIES,
        "np.array(grad.sum(), dtype)",
        "dtype.type(grad.sum())",
        *("contract", "gradient of operand 'value'", "is a int64, not an ndarray"),
    ),
    "a list": (
        SQUARE,
        "return (total,)",
        "return [total]",
        *("backward", "backward", "returns a list of 1, not a tuple of 1"),
    ),
    "a bare array": (
        SQUARE,
        "return (total,)",
        "return total",
        *("backward", "backward", "returns a ndarray, not a tuple of 1"),
    ),
    "gradients in the wrong order": (
        MATMUL,
        "return grad_left, grad_right",
        "return grad_right, grad_left",
        *("contract", "gradient of operand 'left'", "has shape"),
    ),
    "off the diagonal": (
        DIAGONAL,
        "np.zeros(",
        "np.ones(",
        *("backward", "gradient of operand 'matrix'", "is wrong at [i=0, i=1]"),
    ),
    "wrong on broadcast axes only": (
        MATMUL,
        "gradient = gradient.sum(axis, keepdims=True)",
        "gradient = gradient[:, :1] if axis else gradient[:1]",
        *("backward", "gradient of operand 'right'", "is wrong"),
    ),
    "wrong for size 0 only": (
        MATMUL,
        "return product",
        "return product if a.size else product + 1",
        *("forward", "the output", "is wrong"),
    ),
    "wrong for size 1 only": (
        SQUARE,
        "return x @ x\n",
        "return x @ x if len(x) > 1 else x + x\n",
        *("forward", "the output", "is wrong"),
    ),
    "wrong above a size only": (
        MATMUL,
        "return product",
        "return product if len(a) < 8 else -product",
        *("forward", "the output", "is wrong"),
    ),
    "wrong for an ellipsis of two axes only": (
        ROWS,
        "product = a * b\n",
        "product = a * b if a.ndim < 3 else a - b\n",
        *("forward", "the output", "is wrong"),
    ),
    "wrong for an ellipsis that is missing only": (
        ROWS,
        "product = a * b\n",
        "product = a * b if a.ndim <= b.ndim else a * b[-1:]\n",
        *("forward", "the output", "is wrong"),
    ),
    "wrong for Fortran order only": (
        SQUARE,
        "return x @ x\n",
        "return x @ x.ravel('K').reshape(x.shape)\n",
        *("forward", "the output", "is wrong"),
    ),
    "wrong for complex only": (
        ROWS,
        "product = a * b\n",
        "product = a * b.conj()\n",
        *("forward", "the output", "is wrong"),
    ),
    "wrong for mixed dtypes only": (
        ROWS,
        "product = a * b\n",
        "mixed = {a.dtype, b.dtype} == {np.dtype('f4'), np.dtype('f8')}\n"
        "    product = a * (b.astype(a.dtype) if mixed else b)\n",
        *("contract", "the output", "has dtype"),
    ),
    "rounded": (
        MATMUL,
        "product = a @ b",
        "product = (a.astype('F') @ b).real.astype(np.promote_types(a.dtype, b.dtype))"
        " if a.dtype == np.float64 == b.dtype else a @ b",
        *("adjoint", "jvp, backward", "differ by more than"),
    ),
    "pullback unlike backward": (
        MATMUL,
        "        return backward(grad, left, right)",
        "        return backward(2 * grad, left, right)",
        *("vjp", "gradient of operand 'left'", "from the pullback, is wrong"),
    ),
    "pullback that works once": (
        MATMUL,
        "        return backward(grad, left, right)",
        "        calls = pullback.__dict__.setdefault('calls', [])\n"
        "        calls.append(grad)\n"
        "        return backward(len(calls) * grad, left, right)",
        *("again", "gradient of operand 'left'", "the pullback called again, is wrong"),
    ),
    "vjp's output unlike forward": (
        SQUARE,
        "return forward(x), lambda",
        "return forward(-x) + x, lambda",
        *("vjp", "the output", "from vjp, is wrong"),
    ),
    "vjp without a pullback": (
        SQUARE,
        "return forward(x), lambda grad: backward(grad, x)",
        "return forward(x)",
        *("vjp", "vjp", "returns a ndarray, not a tuple of 2"),
    ),
    "jvp drops a term": (
        MATMUL,
        "forward(d_left, right) + forward(left, d_right)",
        "forward(d_left, right)",
        *("jvp", "the tangent", "is wrong"),
    ),
    "jvp conjugates": (
        SQUARE,
        "dx @ x + x @ dx",
        "dx @ x.conj() + x.conj() @ dx",
        *("jvp", "the tangent", "is wrong"),
    ),
    "one operand of many": (
        outer(10),
        "if axis != place:",
        "if axis != place and (place, axis) != (7, 3):",
        *("contract", "gradient of operand 'v7'", "has shape"),
    ),
    "one operand of many, seldom": (
        outer(10),
        "        gradients.append(left.astype(dtype))",
        "        left = left if place != 7 or len(vector) < 3 else left[::-1]\n"
        "        gradients.append(left.astype(dtype))",
        *("backward", "gradient of operand 'v7'", "is wrong"),
    ),
    "raises": (
        SQUARE,
        "return x @ x\n",
        "raise MemoryError('no')\n",
        *("forward", "forward", "forward raised MemoryError: no ("),
    ),
    "exits": (
        SQUARE,
        "return x @ x\n",
        "raise SystemExit(3)\n",
        *("forward", "forward", "forward raised SystemExit: 3 ("),
    ),
    "another signature": (
        SQUARE,
        "def forward(x):",
        "def forward(x, y):",
        *("forward", "forward", "missing 1 required positional argument: 'y'"),
    ),
    "a function is missing": (
        SQUARE,
        "def jvp(",
        "def jvp_(",
        *("interface", "jvp", "jvp is missing"),
    ),
    "a function is not one": (
        SQUARE,
        "def vjp(x):",
        "vjp = 3\ndef _vjp(x):",
        *("interface", "vjp", "vjp is not a function"),
    ),
    "another spec": (
        MATMUL,
        '"ij,jk->ik"',
        '"ij,kj->ik"',
        *("forward", "forward", "forward raised ValueError"),
    ),
    "an implicit spec": (
        MATMUL,
        '"ij,jk->ik"',
        '"ij,jk"',
        *("interface", "SPEC", "is 'ij,jk', not an explicit spec"),
    ),
    "a spec that cannot be read": (
        MATMUL,
        '"ij,jk->ik"',
        '"ij,j..k->ik"',
        *("interface", "SPEC", "cannot read 'j..k'"),
    ),
    "a spec of too many axes": (
        DIAGONAL,
        '"ii->i"',
        f'"i->{"i" * 65}"',
        *("interface", "SPEC", "an array of 65 axes"),
    ),
    "too few operands": (
        MATMUL,
        'OPERANDS = ("left", "right")',
        'OPERANDS = ("left",)',
        *("interface", "OPERANDS", "has 1 names, SPEC has 2 operands"),
    ),
    "operands in a string": (
        DIAGONAL,
        'OPERANDS = ("matrix",)',
        'OPERANDS = "matrix"',
        *("interface", "OPERANDS", "is 'matrix', not a tuple of names"),
    ),
    "one name for unlike operands": (
        SQUARE,
        '"ij,jk->ik"',
        '"ij,j->i"',
        *("interface", "OPERANDS", "has 'x' for both ij and j"),
    ),
    "a gradient of nothing": (
        SQUARE,
        'GRADIENTS = ("x",)',
        'GRADIENTS = ("y",)',
        *("interface", "GRADIENTS", "is ('y',), not distinct names of OPERANDS"),
    ),
    "another convention": (
        SQUARE,
        '"adjoint"',
        '"hermitian"',
        *("interface", "COMPLEX", "is 'hermitian', not one of"),
    ),
    "no size for a new index": (
        COPIES,
        'SIZES = {"i": 4}',
        'SIZES = {"j": 4}',
        *("interface", "SIZES", "has None for the output's index 'i'"),
    ),
    "a size that no check can compute with": (
        COPIES,
        'SIZES = {"i": 4}',
        'SIZES = {"i": 10**9}',
        *("interface", "SIZES", "asks for more than the 4194304 entries that a check"),
    ),
    "another size for a new index": (
        COPIES,
        'SIZES = {"i": 4}',
        'SIZES = {"i": 5}',
        *("contract", "the output", "has shape (4,), expected (5,)"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_modules_are_found_out(load: Load, name: str) -> None:
    text, right, wrong, law, array, message = WRONG[name]
    assert text.count(right) == 1
    broken = text.replace(right, wrong)
    if "calls" in wrong:
        broken = broken.replace(
            "    def pullback", "    calls = []\n\n    def pullback"
        )
    report = check(load(broken))
    assert not report.ok
    found = report.counterexample
    assert found is not None
    assert (found.law, found.array) == (law, array), str(report)
    assert message in found.message
    assert message in str(report)
    assert report.error_probability is None


# What is edited in a generated module, and what is found: array and message.
WRONG_OUT = {
    "the output goes elsewhere": (
        "    return _store(output, out)",
        "    return output.copy()",
        *("forward with out", "returns another array than the one given"),
    ),
    "gradients go elsewhere": (
        "        return _store_each(gradients, out, accumulate)",
        "        return tuple(x.copy() for x in gradients)",
        *("backward with out", "returns another array than the one given"),
    ),
    "gradients replace what is there": (
        "        np.add(out, result, out=out",
        "        np.copyto(out, result",
        *("gradient of operand 'a'", "from backward with accumulate, is wrong at"),
    ),
}


@pytest.mark.parametrize("name", WRONG_OUT)
def test_results_in_given_arrays_are_checked(load: Load, name: str) -> None:
    text = generate("ij,jk->ik")
    proven = check(load(text))
    assert {law.name: law.count for law in proven.laws}["out"] > 0
    right, wrong, array, message = WRONG_OUT[name]
    assert text.count(right) == 1
    report = check(load(text.replace(right, wrong)))
    found = report.counterexample
    assert found is not None
    assert (found.law, found.array) == ("out", array), str(report)
    assert message in found.message


def test_the_report_says_what_was_proven(load: Load) -> None:
    report = check(load(MATMUL))
    assert str(report).splitlines()[0] == "proved: ij,jk->ik"
    names = ["forward", "backward", "vjp", "jvp", "again", "adjoint", "contract"]
    assert [law.name for law in report.laws] == names
    for law in report.laws:
        assert f"{law.statement}: {law.count:,} {law.unit}" in str(report)
    assert "a wrong polynomial of degree 2 passes with probability" in str(report)
    known = json.loads(json.dumps(report.to_dict()))
    assert known["ok"] is True
    assert known["counterexample"] is None
    assert known["error_probability"] == report.error_probability


def test_the_counterexample_can_be_seen_again(load: Load) -> None:
    broken = MATMUL.replace("product = a @ b", "product = a @ b; product[1:, 1:] += 1")
    report = check(load(broken), seed=5)
    found = report.counterexample
    assert found is not None
    assert found.index == (("i", 1), ("k", 1))
    shapes = dict(found.shapes)
    assert str(report) == (
        "wrong: ij,jk->ik\n"
        "forward: the output, from forward, is wrong at [i=1, k=1]\n"
        f"  expected {found.expected}\n"
        f"  got      {int(found.expected) + 1}\n"
        f"  with left {shapes['left']}, right {shapes['right']}\n"
        f"  in int64, draw {found.draw} of seed 5"
    )
    known = json.loads(json.dumps(report.to_dict()))["counterexample"]
    assert known["index"] == [["i", 1], ["k", 1]]
    assert known["array"] == "the output"
    assert check(load(broken), seed=5).counterexample == found
    assert check(load(broken), seed=6).counterexample != found


def test_the_same_seed_gives_the_same_report(load: Load) -> None:
    module = load(ROWS)
    assert check(module, seed=3) == check(module, seed=3)
    with pytest.raises(OptionError, match="the seed must be 0 or more, got -1"):
        check(module, seed=-1)


def test_anything_is_a_finding_not_a_crash() -> None:
    report = check(object())
    assert str(report) == "wrong: no spec\ninterface: SPEC is missing"


def test_an_interrupt_is_not_a_finding(load: Load) -> None:
    with pytest.raises(KeyboardInterrupt):
        check(load(SQUARE.replace("return x @ x", "raise KeyboardInterrupt", 1)))


# --- the draws


def subject(spec: str, *operands: str, **sizes: int) -> Subject:
    count = spec.count(",") + 1
    names = operands or tuple(f"v{k}" for k in range(count))
    return Subject(spec, names, tuple(dict.fromkeys(names)), "adjoint", sizes)


LETTERS = [chr(0x4E00 + k) for k in range(201)]
CHAIN = ",".join(a + b for a, b in itertools.pairwise(LETTERS))
PLANNED = {
    "matmul": subject("ij,jk->ik"),
    "scores": subject("bqhd,bkhd->bhqk"),
    "tree": subject("a,aib,bjc,ckd,d->ijk"),
    "traces": subject("ijji,kji,jj->kj"),
    "ellipsis": subject("...ij,...jk->...ik"),
    "wide": subject(f"{''.join(LETTERS[:25])}->{''.join(LETTERS[24::-1])}"),
    "chain": subject(f"{CHAIN}->{LETTERS[0]}{LETTERS[200]}"),
    "outer": subject(f"{','.join(LETTERS[:60])}->{''.join(LETTERS[:60])}"),
    "batch": subject(",".join(["bi"] * 24) + "->b"),
}


def terms(draw: Draw, planned: Subject) -> list[tuple[str, str, int]]:
    """Return (name, index, size) of every axis without an ellipsis before it."""
    written = planned.spec.split("->")[0].split(",")
    return [
        (name, index, size)
        for name, term in zip(planned.operands, written, strict=True)
        for index, size in zip(
            reversed(term.replace("...", "")), reversed(draw.shapes[name]), strict=False
        )
    ]


@pytest.mark.parametrize("name", PLANNED)
def test_draws_cover_what_a_spec_means(name: str) -> None:
    planned = PLANNED[name]
    draws = plan(planned, 0, 64).main
    above, zeros = set[str](), set[str]()
    ones, hollow = set[tuple[str, str]](), set[tuple[str, str]]()
    for draw in draws:
        axes = terms(draw, planned)
        full = {index: size for _, index, size in axes if size != 1}
        above |= {index for index, size in full.items() if size > 1}
        zeros |= {index for index, size in full.items() if size == 0}
        ones |= {(n, i) for n, i, size in axes if size == 1 and full.get(i, 1) > 1}
        hollow |= {(n, i) for n, i, size in axes if size == 1 and full.get(i) == 0}
        arrays = (*draw.shapes.values(), draw.output)
        assert max(draw.cells, *map(math.prod, arrays)) <= CELLS
        assert sum(n in draw.varied for n in planned.operands) <= VARIED
    held = {(name, index) for name, index, _ in terms(draws[0], planned)}
    holders = Counter(index for _, index in held)
    shared = {(name, index) for name, index in held if holders[index] > 1}
    assert above == set(holders)
    assert ones == shared
    assert zeros
    assert hollow == {(name, index) for name, index in shared if index in zeros}


@pytest.mark.parametrize("name", PLANNED)
def test_integers_stay_exact(name: str) -> None:
    planned = PLANNED[name]
    for draw in plan(planned, 0, 64).main:
        power = bounds.degree(planned, draw)
        terms = max(draw.cells, 1) * len(planned.operands)
        assert bounds.reach(planned, draw) ** power * terms < 2**53
        part = bounds.reach(planned, draw, parts=2)
        assert math.sqrt(2 * part**2) ** power * 2 * terms < 2**53


def test_sizes_are_distinct_primes_where_there_is_room() -> None:
    draws = plan(PLANNED["scores"], 0, 64).main
    assert draws[0].shapes == {"v0": (2, 3, 5, 7), "v1": (2, 11, 5, 7)}


def test_one_name_in_two_places_keeps_its_sizes() -> None:
    draws = plan(subject("ij,jk,ik->", "x", "x", "y"), 0, 64).main
    assert {len(set(draw.shapes["x"])) for draw in draws} == {1}
    assert any(draw.shapes["y"] == (1, 1) != draw.shapes["x"] for draw in draws)


def test_ellipses_are_alike_unlike_and_missing() -> None:
    draws = plan(PLANNED["ellipsis"], 0, 64).main
    ranks = {(len(d.shapes["v0"]) - 2, len(d.shapes["v1"]) - 2) for d in draws}
    assert ranks == {(0, 0), (1, 1), (2, 2), (2, 1), (0, 2)}


def test_ellipses_stay_within_numpys_ranks() -> None:
    draws = plan(subject(f"...{''.join(LETTERS[:63])}->..."), 0, 64).main
    assert {len(draw.shapes["v0"]) for draw in draws} == {63, 64}


def test_an_output_that_repeats_an_index_stays_small() -> None:
    draws = plan(subject("i->iiiii"), 0, 64).main
    assert max(math.prod(draw.output) for draw in draws) <= CELLS


# --- memory


def test_overlap_names_the_result_first() -> None:
    base, other, fresh, empty = np.zeros((4, 6)), np.zeros(3), np.ones(3), np.ones(0)
    inputs = extents([("x", base), ("y", other)])
    assert overlap(inputs, extents([("g", base[::-1, 5:].T)])) == ("g", "x")
    assert overlap(inputs, extents([("g", other)])) == ("g", "y")
    assert overlap(inputs, extents([("g", fresh), ("h", empty)])) is None
    assert overlap([], extents([("g", base[:2]), ("h", base[1:])])) == ("g", "h")
    assert overlap([], extents([("g", base[:2]), ("h", base[2:])])) is None


# --- files


def test_load_file_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "square.py"
    file.write_text(SQUARE, "utf-8")
    one, two = load_file(file), load_file(str(file))
    assert one is not two
    assert one.__name__ != two.__name__
    assert one.__file__ == str(file)
    assert [path.name for path in tmp_path.iterdir()] == ["square.py"]


def test_tracebacks_show_the_lines_that_ran(tmp_path: Path) -> None:
    file = tmp_path / "square.py"
    file.write_text(SQUARE, "utf-8")
    module = load_file(file)
    file.unlink()
    with pytest.raises(ValueError) as caught:
        module.forward(np.ones((2, 3)))
    assert "return x @ x" in "".join(traceback.format_tb(caught.value.__traceback__))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", "is not Python: invalid syntax"),
        ("\0", "is not Python: source code string cannot contain null bytes"),
        ("# coding: klingon\n", "is not Python: unknown encoding: klingon"),
        ("import nothing_of_the_kind", "cannot be executed: ModuleNotFoundError"),
        ("raise SystemExit(1)", "cannot be executed: SystemExit: 1"),
        ("SPEC = '->'\nCOMPLEX = 1", "it lacks OPERANDS, GRADIENTS"),
    ],
)
def test_files_that_are_no_modules(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "broken.py"
    file.write_text(text, "utf-8")
    with pytest.raises(EingradError) as caught:
        load_file(file)
    assert message in str(caught.value)
    assert "broken.py" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EingradError, match=r"cannot read .*nowhere\.py: No such file"):
        load_file(tmp_path / "nowhere.py")
