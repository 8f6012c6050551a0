"""The NumPy target: statements as lines of source."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..array_program import (
    ALLOCATES,
    ENTRYWISE,
    VIEWS,
    ArrayOp,
    Expr,
    Node,
    Ref,
    Statement,
    part_name,
    references,
)
from ..pretty import Bracketed, Doc, broken, call, fits, tuple_of
from ..program import Names
from ..spec import Index, Subscripts
from .operations import (
    INFIX,
    SOURCE,
    TAKES_OUT,
    WRITES_OUT,
    Operation,
)

# More factors than this are multiplied in a line of their own.
LONGEST_PRODUCT = 5


@dataclass
class Printer:
    """Prints statements as lines of at most ``width`` columns, indented once.

    ``into`` maps variables to what may hold an array to write them into, and
    ``written`` lists what was made use of.  ``target`` is the variable that the current
    statement is for.
    """

    size_names: Mapping[Index, str]
    names: Names
    into: Mapping[str, str]
    width: int
    indent: str = "    "
    lines: list[str] = field(default_factory=list)
    products: dict[Subscripts, str] = field(default_factory=dict)
    parts: dict[str, Node] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    target: str = ""

    def drop_parts(self, dying: Collection[str]) -> list[str]:
        """Forget the named parts that hold memory of their own or of what is dying."""
        dropped = [
            name
            for name, part in self.parts.items()
            if not _is_view(part) or next(references(part)) in dying
        ]
        self.parts = {n: part for n, part in self.parts.items() if n not in dropped}
        return dropped

    @contextmanager
    def branch(self, head: str, dying: Collection[str] | None) -> Iterator[None]:
        """Print what is run under a condition; the names given there end with it.

        ``dying`` is None where the function ends with it too.
        """
        indent, names = self.indent, self.names
        products, before = dict(self.products), dict(self.parts)
        self.lines.append(f"{indent}{head}")
        self.indent, self.names = indent + "    ", names.copy()
        yield
        if dying is not None:
            dropped = [name for name in self.drop_parts(dying) if name not in before]
            self.delete(dropped)
        self.indent, self.names = indent, names
        self.products, self.parts = products, before

    def delete(self, names: Sequence[str]) -> None:
        """Print that variables are deleted."""
        line = f"{self.indent}del {', '.join(names)}"
        if names and fits(line, self.width):
            self.lines.append(line)
        elif names:
            self._print("del ", tuple_of(names))

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
        written = SOURCE[expr.op](Operation(args, expr.attr, self.extent))
        return _with(written, 'order="C"') if expr.c_order else written

    def statement(
        self, statement: Statement, annotation: str = "", reusable: str | None = None
    ) -> None:
        """Print one statement.

        ``annotation`` is the type of a variable assigned; an elementwise result may be
        written over the variable ``reusable``, which is among its arguments.
        """
        target, value = statement.target, statement.value
        (self.target,) = references(target)
        over = Ref(reusable or "")
        if isinstance(value, Node) and value.op in ENTRYWISE and over in value.args:
            self._print(f"{target}{annotation} = ", self._into(value, over))
            return
        if isinstance(target, Ref) and statement.assigned:
            into = self.into.get(target.name)
            if into is not None and isinstance(value, Node) and value.op in TAKES_OUT:
                self._write_into(target, annotation, value, into)
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

    def _write_into(self, target: Ref, annotation: str, value: Node, into: str) -> None:
        """Assign a value that is written into an array if there is one."""
        self.written.append(into)
        prefix = f"{target}{annotation} = "
        if value.op is ArrayOp.COPY:
            with self.branch(f"if {into} is None:", None):
                self._variable(target, annotation, value)
            with self.branch("else:", None):
                self._print(f"{target} = ", into)
                self.statement(Statement(target, value.args[0], through=True))
            return
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
        for name, known in self.parts.items():
            if known == part:
                return Ref(name)
        made_of = {*references(part)}
        base = made_of.pop() if len(made_of) == 1 else self.target
        stem = f"{base}_{part_name(part)}"
        name = self.names.fresh(stem)
        # Two branches may name alike what has as many axes, for the sake of its type.
        while self.ranks.setdefault(name, len(part.attr)) != len(part.attr):
            name = self.names.fresh(stem)
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
    bracketed = _bracketed(written)
    return replace(bracketed, items=(*bracketed.items, argument))


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
