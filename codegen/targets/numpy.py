"""The NumPy target: what each operation is called, from NumPy 1.26 on."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..array_program import VIEWS, ArrayOp, Expr, Node, Ref, Statement, references
from ..cost import EINSUM_LETTERS
from ..pretty import Bracketed, Doc, broken, call, fits, tuple_of
from ..program import Names
from ..spec import Index, Subscripts
from .elementwise import applied


@dataclass(frozen=True)
class _Operation:
    """The arguments as text, the attribute, and how an extent is written."""

    args: tuple[str, ...]
    attr: tuple[Any, ...]
    extent: Callable[[Subscripts], str]

    def shape(self) -> list[str]:
        """Write each extent of a shape."""
        return [self.extent(extent) for extent in self.attr]


def _transpose(op: _Operation) -> Doc:
    if op.attr == (1, 0):
        return f"{op.args[0]}.T"
    return call(f"{op.args[0]}.transpose", *map(str, op.attr))


def _expand(op: _Operation) -> Doc:
    marks = [":" if present else "None" for present in op.attr]
    while marks[-1] == ":":
        marks.pop()
    return Bracketed(op.args[0], tuple(marks), "[]")


def _diagonal(op: _Operation) -> Doc:
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


def _einsum(op: _Operation) -> Doc:
    *operands, output = op.attr
    return call("np.einsum", einsum_literal(tuple(operands), output), *op.args)


def einsum_literal(operands: tuple[Subscripts, ...], output: Subscripts) -> str:
    """Write subscripts that np.einsum reads; other letters become ASCII ones."""
    used = dict.fromkeys(itertools.chain(*operands, output))
    free = iter(c for c in string.ascii_letters if c not in used)
    spell = {i: i if i in string.ascii_letters else next(free) for i in used}
    terms = ["".join(map(spell.__getitem__, term)) for term in (*operands, output)]
    return f'"{",".join(terms[:-1])}->{terms[-1]}"'


def _repeat(op: _Operation) -> Doc:
    (axis,) = (axis for axis, extent in enumerate(op.attr) if extent)
    return call(f"{op.args[0]}.repeat", op.shape()[axis], f"axis={axis}")


def _quoted(text: str) -> str:
    return f'"{text}"'


SOURCE: dict[ArrayOp, Callable[[_Operation], Doc]] = {
    ArrayOp.TRANSPOSE: _transpose,
    ArrayOp.RESHAPE: lambda op: call(f"{op.args[0]}.reshape", *op.shape()),
    ArrayOp.EXPAND: _expand,
    ArrayOp.DIAGONAL: _diagonal,
    ArrayOp.CONJ: lambda op: f"{op.args[0]}.conj()",
    ArrayOp.DOT: lambda op: call(f"{op.args[0]}.dot", op.args[1]),
    ArrayOp.MATMUL: lambda op: call("np.matmul", *op.args),
    ArrayOp.MULTIPLY: lambda op: call("np.multiply", *op.args),
    ArrayOp.EINSUM: _einsum,
    ArrayOp.SUM: lambda op: call(
        f"{op.args[0]}.sum", f"axis={op.attr}", f"dtype={op.args[0]}.dtype"
    ),
    ArrayOp.ADD: lambda op: call("np.add", *op.args),
    ArrayOp.APPLY: lambda op: applied(op.attr[0], op.args[0]),
    ArrayOp.REPEAT: _repeat,
    ArrayOp.COPY: lambda op: call(f"{op.args[0]}.copy", *map(_quoted, op.attr)),
    ArrayOp.TURN: lambda op: call("_turned", op.args[0], tuple_of(map(str, op.attr))),
    ArrayOp.SCALAR: lambda op: call("np.asarray", *op.args),
    ArrayOp.EMPTY: lambda op: call(
        "np.empty", tuple_of(op.shape()), f"{op.args[0]}.dtype"
    ),
    ArrayOp.ZEROS: lambda op: call(
        "np.zeros", tuple_of(op.shape()), f"{op.args[0]}.dtype"
    ),
}

INFIX = {ArrayOp.MULTIPLY: "*", ArrayOp.ADD: "+"}

# Operations that can write their result into an array given as ``out``.
WRITES_OUT = frozenset({ArrayOp.MATMUL, ArrayOp.EINSUM})

# Operations that take an array to write into, or None for a new one.
TAKES_OUT = frozenset(
    {
        ArrayOp.DOT,
        ArrayOp.MATMUL,
        ArrayOp.MULTIPLY,
        ArrayOp.EINSUM,
        ArrayOp.ADD,
        ArrayOp.TURN,
        ArrayOp.EMPTY,
    }
)

# More factors than this are multiplied in a line of their own.
LONGEST_PRODUCT = 5

# Operations that take only the dtype of their argument.
ALLOCATES = frozenset({ArrayOp.EMPTY, ArrayOp.ZEROS})

# What a part of an expression is called when it needs a line of its own.
PART_NAMES = {
    ArrayOp.TRANSPOSE: "turned",
    ArrayOp.RESHAPE: "flat",
    ArrayOp.EXPAND: "wide",
    ArrayOp.DIAGONAL: "diagonal",
    ArrayOp.CONJ: "conj",
    ArrayOp.DOT: "product",
    ArrayOp.MATMUL: "product",
    ArrayOp.MULTIPLY: "product",
    ArrayOp.TURN: "turned",
    ArrayOp.APPLY: "value",
    ArrayOp.EINSUM: "sum",
    ArrayOp.SUM: "sum",
}


@dataclass
class Printer:
    """Prints statements as lines of at most ``width`` columns, indented once.

    ``into`` maps variables to what may hold an array to write them into, and
    ``written`` lists what was made use of.
    """

    size_names: Mapping[Index, str]
    names: Names
    into: Mapping[str, str]
    width: int
    indent: str = "    "
    lines: list[str] = field(default_factory=list)
    products: dict[Subscripts, str] = field(default_factory=dict)
    parts: dict[str, Node] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def drop_parts(self, dying: Collection[str]) -> list[str]:
        """Forget the named parts that hold memory of their own or of what is dying."""
        dropped = [
            name
            for name, part in self.parts.items()
            if not _is_view(part) or next(references(part)) in dying
        ]
        self.parts = {n: part for n, part in self.parts.items() if n not in dropped}
        return dropped

    def extent(self, indices: Subscripts) -> str:
        """Write a product of sizes; a long one is computed in a line of its own."""
        if indices in self.products:
            return self.products[indices]
        factors = [self.size_names[index] for index in indices]
        if len(factors) > LONGEST_PRODUCT:
            name = self.names.fresh("size")
            self.products[indices] = name
            operator = "="
            for start in range(0, len(factors), LONGEST_PRODUCT):
                product = " * ".join(factors[start : start + LONGEST_PRODUCT])
                self.lines.append(f"{self.indent}{name} {operator} {product}")
                operator = "*="
            return name
        return " * ".join(factors) or "1"

    def doc(self, expr: Expr) -> Doc:
        """Write an expression as source."""
        if isinstance(expr, Ref):
            return expr.name
        args = tuple(str(self.doc(arg)) for arg in expr.args)
        written = SOURCE[expr.op](_Operation(args, expr.attr, self.extent))
        return _with(written, 'order="C"') if expr.c_order else written

    def statement(
        self, statement: Statement, annotation: str = "", reusable: str | None = None
    ) -> None:
        """Print one statement.

        ``annotation`` is the type of a variable assigned; an elementwise result may be
        written over the variable ``reusable``, which is among its arguments.
        """
        target, value = statement.target, statement.value
        over = Ref(reusable or "")
        if isinstance(value, Node) and value.op in INFIX and over in value.args:
            self._print(f"{target}{annotation} = ", self._into(value, over))
            return
        if isinstance(target, Ref) and not statement.through:
            into = self.into.get(target.name)
            if into is not None and isinstance(value, Node) and value.op in TAKES_OUT:
                self._write_into(f"{target}{annotation} = ", value, into)
            else:
                self._variable(target, annotation, value)
        elif isinstance(value, Node) and value.op in WRITES_OUT:
            self._write_out(target, value)
        else:
            view = self._short(target, len(f"[...] = {self.doc(value)}"))
            self._assign(f"{self.doc(view)}[...] = ", value)

    def _variable(self, target: Ref, annotation: str, value: Expr) -> None:
        """Assign a variable: if it takes several lines, each form it goes through."""
        prefix = f"{target}{annotation} = "
        long = not fits(f"{self.indent}{prefix}{self.doc(value)}", self.width)
        if long and isinstance(value, Node) and len(value.args) == 1:
            (inner,) = value.args
            if isinstance(inner, Node) and value.op not in ALLOCATES:
                self._variable(target, annotation, inner)
                prefix, value = f"{target} = ", replace(value, args=(target,))
        self._assign(prefix, value)

    def _assign(self, prefix: str, value: Expr) -> None:
        if isinstance(value, Node) and value.op in INFIX and not value.c_order:
            left, right = (self.doc(arg) for arg in value.args)
            line = f"{self.indent}{prefix}{left} {INFIX[value.op]} {right}"
            if fits(line, self.width):
                self.lines.append(line)
                return
        long = not fits(f"{self.indent}{prefix}{self.doc(value)}", self.width)
        if long and isinstance(value, Node):
            value = self._parts(value)
        self._print(prefix, self.doc(value))

    def _write_into(self, prefix: str, value: Node, into: str) -> None:
        """Assign a value that is written into an array if there is one."""
        self.written.append(into)
        if value.op is ArrayOp.EMPTY:
            self._print(prefix, call("_room", into, *_bracketed(self.doc(value)).items))
            return
        given = Ref(into)
        if not fits(f"{self.indent}{prefix}{self._into(value, given)}", self.width):
            value = self._parts(value)
        self._print(prefix, self._into(value, given))

    def _write_out(self, out: Expr, value: Node) -> None:
        if not fits(f"{self.indent}{self._into(value, out)}", self.width):
            value = self._parts(value)
            out = self._short(out, len("    out=,"))
        self._print("", self._into(value, out))

    def _into(self, value: Node, out: Expr) -> Doc:
        return _with(self.doc(value), f"out={self.doc(out)}")

    def _parts(self, value: Node) -> Node:
        """Give each part of a long expression a line and a name of its own."""
        return replace(value, args=tuple(self._named(arg) for arg in value.args))

    def _named(self, part: Expr) -> Expr:
        if isinstance(part, Ref):
            return part
        base = next(references(part))
        name = self.names.fresh(f"{base}_{PART_NAMES.get(part.op, 'value')}")
        self._assign(f"{name} = ", part)
        self.parts[name] = part
        return Ref(name)

    def _short(self, expr: Expr, around: int) -> Expr:
        """Name an expression that leaves no room for what stands around it."""
        room = self.width - len(self.indent) - around
        return expr if fits(str(self.doc(expr)), room) else self._named(expr)

    def _print(self, prefix: str, doc: Doc) -> None:
        self.lines.extend(broken(prefix, doc, indent=self.indent, width=self.width))


def _bracketed(written: Doc) -> Bracketed:
    assert isinstance(written, Bracketed)
    return written


def _with(written: Doc, argument: str) -> Bracketed:
    """Give a call one more argument."""
    call = _bracketed(written)
    return replace(call, items=(*call.items, argument))


def _is_view(part: Node) -> bool:
    """Tell whether a part holds no memory; a view of other strides is often copied."""
    return part.op in VIEWS and not (
        part.op is ArrayOp.RESHAPE and isinstance(part.args[0], Node)
    )


def size_names(
    indices: Sequence[Index], taken: Sequence[str], stem: str = "n"
) -> dict[Index, str]:
    """Name the size of every index: ``n_i``, and ``n_i_2`` where that is taken."""
    names = Names(taken)
    return {index: names.fresh(f"{stem}_{_spelled(index)}") for index in indices}


def _spelled(index: Index) -> str:
    """Spell an index in lower-case ASCII."""
    if index.isascii() and index.isalpha():
        return index.lower()
    return "ellipsis" if index == "..." else f"u{ord(index):04x}"
