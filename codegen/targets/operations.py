"""What each operation is called in NumPy, from version 1.26 on."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..array_program import ArrayOp
from ..cost import EINSUM_LETTERS
from ..pretty import Bracketed, Doc, call, tuple_of
from ..spec import Subscripts
from .elementwise import applied


@dataclass(frozen=True)
class Operation:
    """The arguments as text, the attribute, and how an extent is written."""

    args: tuple[str, ...]
    attr: tuple[Any, ...]
    extent: Callable[[Subscripts], str]

    def shape(self) -> list[str]:
        """Write each extent of a shape."""
        return [self.extent(extent) for extent in self.attr]


def _transpose(op: Operation) -> Doc:
    if op.attr == (1, 0):
        return f"{op.args[0]}.T"
    return call(f"{op.args[0]}.transpose", *map(str, op.attr))


def _expand(op: Operation) -> Doc:
    marks = [":" if present else "None" for present in op.attr]
    while marks[-1] == ":":
        marks.pop()
    return Bracketed(op.args[0], tuple(marks), "[]")


def _diagonal(op: Operation) -> Doc:
    source, order = op.attr
    if len(order) <= EINSUM_LETTERS:
        return call("np.einsum", einsum_literal((source,), order), op.args[0])
    array = op.args[0]
    axes = [[p for p, i in enumerate(source) if i == index] for index in order]
    return call(
        "np.lib.stride_tricks.as_strided",
        array,
        tuple_of([f"{array}.shape[{first}]" for first, *_ in axes]),
        tuple_of([" + ".join(f"{array}.strides[{p}]" for p in ps) for ps in axes]),
    )


def _einsum(op: Operation) -> Doc:
    *operands, output = op.attr
    return call("np.einsum", einsum_literal(tuple(operands), output), *op.args)


def einsum_literal(operands: tuple[Subscripts, ...], output: Subscripts) -> str:
    """Write subscripts that np.einsum reads; other letters become ASCII ones."""
    used = dict.fromkeys(itertools.chain(*operands, output))
    free = iter(c for c in string.ascii_letters if c not in used)
    spell = {i: i if i in string.ascii_letters else next(free) for i in used}
    terms = ["".join(map(spell.__getitem__, term)) for term in (*operands, output)]
    return f'"{",".join(terms[:-1])}->{terms[-1]}"'


def _count(op: Operation) -> tuple[str, int]:
    """Return how often entries are repeated, and along which axis."""
    (axis,) = (axis for axis, extent in enumerate(op.attr) if extent)
    return op.shape()[axis], axis


def _repeat(op: Operation) -> Doc:
    count, axis = _count(op)
    return call(f"{op.args[0]}.repeat", count, f"axis={axis}")


def _tile(op: Operation) -> Doc:
    return call("_tiled", op.args[0], *map(str, _count(op)))


def _quoted(text: str) -> str:
    return f'"{text}"'


SOURCE: dict[ArrayOp, Callable[[Operation], Doc]] = {
    ArrayOp.TRANSPOSE: _transpose,
    ArrayOp.RESHAPE: lambda op: call(f"{op.args[0]}.reshape", *op.shape()),
    ArrayOp.EXPAND: _expand,
    ArrayOp.DIAGONAL: _diagonal,
    ArrayOp.CONJ: lambda op: f"{op.args[0]}.conj()",
    ArrayOp.DOT: lambda op: call(f"{op.args[0]}.dot", op.args[1]),
    ArrayOp.MATMUL: lambda op: call("np.matmul", *op.args),
    ArrayOp.BLOCKS: lambda op: call("_in_blocks", *op.args),
    ArrayOp.MULTIPLY: lambda op: call("np.multiply", *op.args),
    ArrayOp.EINSUM: _einsum,
    ArrayOp.SUM: lambda op: call(
        f"{op.args[0]}.sum", f"axis={op.attr}", f"dtype={op.args[0]}.dtype"
    ),
    ArrayOp.ADD: lambda op: call("np.add", *op.args),
    ArrayOp.APPLY: lambda op: applied(op.attr[0], op.args[0]),
    ArrayOp.REPEAT: _repeat,
    ArrayOp.TILE: _tile,
    ArrayOp.COPY: lambda op: call(f"{op.args[0]}.copy", *map(_quoted, op.attr)),
    ArrayOp.TURN: lambda op: call("_turned", op.args[0], tuple_of(map(str, op.attr))),
    ArrayOp.SCALAR: lambda op: call("np.asarray", op.args[0], f"{op.args[1]}.dtype"),
    ArrayOp.EMPTY: lambda op: call(
        "np.empty", tuple_of(op.shape()), f"{op.args[0]}.dtype"
    ),
    ArrayOp.ZEROS: lambda op: call(
        "np.zeros", tuple_of(op.shape()), f"{op.args[0]}.dtype"
    ),
    ArrayOp.ONES: lambda op: call("np.ones", *op.shape(), f"{op.args[0]}.dtype"),
}

INFIX = {ArrayOp.MULTIPLY: "*", ArrayOp.ADD: "+"}

# Operations that can write their result into an array given as ``out``.
WRITES_OUT = frozenset({ArrayOp.MATMUL, ArrayOp.BLOCKS, ArrayOp.EINSUM})

# Operations that take an array to write into, or None for a new one.
TAKES_OUT = frozenset(
    {
        ArrayOp.DOT,
        ArrayOp.MATMUL,
        ArrayOp.BLOCKS,
        ArrayOp.MULTIPLY,
        ArrayOp.EINSUM,
        ArrayOp.ADD,
        ArrayOp.COPY,
        ArrayOp.TURN,
        ArrayOp.EMPTY,
    }
)
