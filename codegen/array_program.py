"""The axis-level IR: what is done to arrays, by position, in no library's words.

An expression is a ``Ref`` to a variable or a ``Node``: an operation, its arguments and
one attribute.  Views stand inside other nodes, at hardly any cost; of the rest, which
make a new array, a statement mostly holds one.

    op         attribute                  meaning
    TRANSPOSE  axes                       view: the axes in this order
    RESHAPE    shape                      axes fused or split; a copy where it must be
    EXPAND     one bool an axis           view: a new axis of size 1 where False
    DIAGONAL   letters, letters           view: the diagonal along repeated letters
    CONJ       -                          the complex conjugate; itself if real
    DOT        -                          matrix or vector product
    MATMUL     -                          stacked matrix product, broadcast in front;
                                          or of a vector and each matrix
    BLOCKS     -                          the same of matrices, of which one side is
                                          long and the others are short
    MULTIPLY   -                          elementwise product, broadcast
    EINSUM     operands, output           sum of products, in one-letter subscripts
    SUM        axes                       sum over axes
    ADD        -                          elementwise sum, broadcast
    APPLY      function                   an elementwise function, or a derivative of it
    REPEAT     shape                      entries repeated along the axis whose extent
                                          is not empty
    TILE       shape                      the same, where few entries lie behind it
    COPY       "K" or nothing             a fresh array, in the order of the argument's
                                          memory or in C order
    TURN       axes                       a fresh array with the axes in this order,
                                          of which the last was not last before
    SCALAR     -                          a fresh array without axes, of the dtype of
                                          its second argument
    EMPTY      shape                      a fresh array like its argument in dtype
    ZEROS      shape                      the same, of zeros
    ONES       shape of one extent        a fresh vector of ones, of its dtype

A shape is a tuple of extents, an extent the indices whose sizes are multiplied.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .program import Program, Step
from .spec import Index, Subscripts

Extent = Subscripts
Shape = tuple[Extent, ...]


class ArrayOp(enum.Enum):
    """The operations of the table above."""

    TRANSPOSE = enum.auto()
    RESHAPE = enum.auto()
    EXPAND = enum.auto()
    DIAGONAL = enum.auto()
    CONJ = enum.auto()
    DOT = enum.auto()
    MATMUL = enum.auto()
    BLOCKS = enum.auto()
    MULTIPLY = enum.auto()
    EINSUM = enum.auto()
    SUM = enum.auto()
    ADD = enum.auto()
    APPLY = enum.auto()
    REPEAT = enum.auto()
    TILE = enum.auto()
    COPY = enum.auto()
    TURN = enum.auto()
    SCALAR = enum.auto()
    EMPTY = enum.auto()
    ZEROS = enum.auto()
    ONES = enum.auto()


# These take no memory, or none where the array allows it.
VIEWS = frozenset(
    {
        ArrayOp.TRANSPOSE,
        ArrayOp.RESHAPE,
        ArrayOp.EXPAND,
        ArrayOp.DIAGONAL,
        ArrayOp.CONJ,
    }
)

# These take only the dtype of their argument.
ALLOCATES = frozenset({ArrayOp.EMPTY, ArrayOp.ZEROS, ArrayOp.ONES})

SHAPED = ALLOCATES | {ArrayOp.RESHAPE, ArrayOp.REPEAT, ArrayOp.TILE}

# These may write their result over an argument.
ENTRYWISE = frozenset({ArrayOp.MULTIPLY, ArrayOp.ADD})

# What a part of an expression is called that gets a variable.
_PART_NAMES = {
    ArrayOp.TRANSPOSE: "turned",
    ArrayOp.RESHAPE: "flat",
    ArrayOp.EXPAND: "wide",
    ArrayOp.DIAGONAL: "diagonal",
    ArrayOp.CONJ: "conj",
    ArrayOp.DOT: "product",
    ArrayOp.MATMUL: "product",
    ArrayOp.BLOCKS: "product",
    ArrayOp.MULTIPLY: "product",
    ArrayOp.TURN: "turned",
    ArrayOp.COPY: "copy",
    ArrayOp.APPLY: "value",
    ArrayOp.EINSUM: "sum",
    ArrayOp.SUM: "sum",
    ArrayOp.REPEAT: "repeated",
    ArrayOp.TILE: "repeated",
    ArrayOp.ONES: "ones",
}


@dataclass(frozen=True)
class Ref:
    """A variable."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Node:
    """An operation on its arguments.

    Left alone, NumPy lays out the result of a product or an einsum like its arguments;
    with ``c_order`` its axes lie in memory as they stand.
    """

    op: ArrayOp
    args: tuple[Expr, ...]
    attr: tuple[Any, ...] = ()
    c_order: bool = False

    def __str__(self) -> str:
        parts = [*map(str, self.args), *([str(self.attr)] if self.attr else [])]
        parts += ["C"] * self.c_order
        return f"{self.op.name.lower()}({', '.join(parts)})"


Expr = Ref | Node


@dataclass(frozen=True)
class Statement:
    """``target = value``; or ``value`` written ``through`` a view of an array."""

    target: Expr
    value: Expr
    through: bool = False

    @property
    def assigned(self) -> str | None:
        """The variable that is assigned, if one is."""
        assigns = isinstance(self.target, Ref) and not self.through
        return str(self.target) if assigns else None

    @property
    def read(self) -> Iterator[str]:
        """The variables that are read, or written through a view of them."""
        yield from references(self.value)
        if self.through:
            yield from references(self.target)

    def __str__(self) -> str:
        return f"{self.target}{'[...]' if self.through else ''} = {self.value}"


@dataclass(frozen=True)
class Array:
    """How a value is held: as a variable, with its axes in the order ``axes``.

    ``axes[p]`` is the axis of the value that stands at position p of the variable;
    ``owned`` says that the memory is neither an input's nor another value's.
    """

    expr: Expr
    axes: tuple[int, ...]
    owned: bool


@dataclass(frozen=True)
class Small:
    """The statements that take the place of others where a product of sizes is small.

    It is the product along ``extent``, and at most ``bound``.
    """

    extent: Extent
    bound: int
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Block:
    """The statements of one step; ``notation`` is the step in the layouts chosen."""

    step: Step
    notation: str
    statements: tuple[Statement, ...]
    small: Small | None = None

    @property
    def all_statements(self) -> tuple[Statement, ...]:
        """The statements whatever the sizes."""
        return (*self.statements, *(self.small.statements if self.small else ()))

    def mapped(self, change: Callable[[Statement], Statement]) -> Block:
        """Return the block with every statement changed."""
        small = self.small
        if small is not None:
            small = replace(small, statements=tuple(map(change, small.statements)))
        statements = tuple(map(change, self.statements))
        return replace(self, statements=statements, small=small)

    @property
    def sizes(self) -> Iterator[Index]:
        """The indices whose sizes are needed."""
        if self.small:
            yield from self.small.extent
        for statement in self.all_statements:
            yield from (*extents(statement.target), *extents(statement.value))


@dataclass(frozen=True)
class ArrayProgram:
    """The lowered program: a block a step, and how every value is held.

    ``cost`` is the estimated time of its products, in nanoseconds.
    """

    blocks: tuple[Block, ...]
    arrays: dict[str, Array]
    cost: float

    def layouts(self, program: Program) -> Iterator[tuple[str, Subscripts]]:
        """Yield the variables that hold values, with the indices of their axes."""
        for value in (*program.inputs, *(step.result for step in program.steps)):
            array = self.arrays[value.name]
            if isinstance(array.expr, Ref):
                yield array.expr.name, tuple(value.subscripts[p] for p in array.axes)

    def __str__(self) -> str:
        return "\n".join(
            f"{block.notation:24}  {statement}"
            for block in self.blocks
            for statement in block.statements
        )


def assigned(blocks: Iterable[Block]) -> list[str]:
    """Name the variables that the blocks assign, in order."""
    return [
        statement.assigned
        for block in blocks
        for statement in block.statements
        if statement.assigned is not None
    ]


def nodes(expr: Expr) -> Iterator[Node]:
    """Yield every node of an expression."""
    if isinstance(expr, Node):
        yield expr
        for arg in expr.args:
            yield from nodes(arg)


def part_name(node: Node) -> str:
    """Say what a part of an expression is called that gets a variable."""
    if node.op is ArrayOp.RESHAPE and all(len(extent) < 2 for extent in node.attr):
        return "split"
    return _PART_NAMES.get(node.op, "value")


def unconjugated(expr: Expr) -> Expr:
    """Leave out the conjugations: a form of the conjugate is the form's conjugate."""
    if isinstance(expr, Ref):
        return expr
    args = tuple(map(unconjugated, expr.args))
    if expr.op is ArrayOp.CONJ:
        return args[0]
    return expr if args == expr.args else replace(expr, args=args)


def references(expr: Expr) -> Iterator[str]:
    """Yield the variables that an expression reads, in order of appearance."""
    if isinstance(expr, Ref):
        yield expr.name
    else:
        for arg in expr.args:
            yield from references(arg)


def extents(expr: Expr) -> Iterator[str]:
    """Yield the indices whose sizes an expression needs."""
    for node in nodes(expr):
        if node.op in SHAPED:
            for extent in node.attr:
                yield from extent
