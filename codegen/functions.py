"""Blocks -> a function: its parameters and lines of source."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from .array_program import (
    VIEWS,
    ArrayProgram,
    Block,
    Expr,
    Node,
    Ref,
    Statement,
    assigned,
    references,
)
from .errors import InternalError
from .pretty import assign_tuple, fits
from .program import Conj, Names, Program
from .spec import Einsum, Index, Subscripts
from .targets.numpy import Printer


@dataclass(frozen=True)
class Function:
    """What a function reads besides its own variables, and its body.

    ``writes_into`` tells whether it makes use of arrays to write results into.
    """

    parameters: tuple[str, ...]
    lines: tuple[str, ...]
    writes_into: bool


@dataclass(frozen=True)
class Written:
    """A block as it was printed, and what that does to the variables.

    reusable: the variable that it writes over; parts: the parts of expressions that
    were given a name; deleted: the variables that are deleted after it.
    """

    block: Block
    reusable: str | None
    parts: Mapping[str, Node]
    deleted: list[str]


@dataclass(frozen=True)
class Writer:
    """Writes blocks as functions.

    program, arrays: the program and its lowering.  same_size: for each index, the one
    that its size is named after.  size_names, constants: what the size of an index is
    called, and the sizes that are given with the spec.
    """

    program: Program
    arrays: ArrayProgram
    same_size: Mapping[Index, Index]
    size_names: Mapping[Index, str]
    constants: Mapping[Index, int]
    width: int

    def function(
        self,
        blocks: Sequence[Block],
        *,
        known: Sequence[str],
        kept: Collection[str],
        into: Mapping[str, str] = MappingProxyType({}),
        typed: str = "",
    ) -> Function:
        """Write ``blocks`` as a body that may read the variables ``known``.

        The parameters are those of ``known`` that the body reads.  A variable that is
        not to be ``kept`` is deleted after its last use; ``into`` says for results what
        may hold an array to write them into; ``typed`` is a variable whose assignment
        states its type.
        """
        read = free_variables(s for block in blocks for s in block.all_statements)
        sizes, sources = self._sizes(blocks, known, read)
        printer = self.printer(into)
        for _ in self.written(printer, blocks, kept, typed):
            pass
        lines = (*sizes, *printer.lines)
        needed = read | sources
        parameters = tuple(name for name in known if name in needed)
        return Function(parameters, lines, bool(printer.written))

    def printer(self, into: Mapping[str, str]) -> Printer:
        """Return what prints the body of one function; ``into`` as in ``function``."""
        return Printer(self.size_names, Names(self._taken()), into, self.width)

    def written(
        self,
        printer: Printer,
        blocks: Sequence[Block],
        kept: Collection[str],
        typed: str = "",
    ) -> Iterator[Written]:
        """Print the blocks one by one, and tell what each does to the variables."""
        for block, dying in zip(blocks, _last_uses(blocks), strict=True):
            known = set(printer.parts)
            reusable = self._reusable(block, [n for n in dying if n not in kept])
            last = block is blocks[-1]
            self._print(printer, block, typed, reusable, None if last else dying)
            parts = {n: part for n, part in printer.parts.items() if n not in known}
            deleted = [] if last else self._delete(printer, dying, kept)
            yield Written(block, reusable, parts, deleted)

    def _taken(self) -> list[str]:
        inputs = [value.name for value in self.program.inputs]
        return [*inputs, *assigned(self.arrays.blocks), *self.size_names.values()]

    @functools.cached_property
    def conjugates(self) -> set[str]:
        """Name the values that share memory with their conjugates, if they are real."""
        steps = [step for step in self.program.steps if isinstance(step.op, Conj)]
        return {v.name for step in steps for v in (step.result, *step.arguments)}

    @functools.cached_property
    def viewed(self) -> set[str]:
        """Name the variables of whose memory another variable may be a view."""
        return {
            next(references(statement.value))
            for block in self.arrays.blocks
            for statement in block.all_statements
            if _views(statement.value)
        }

    def _reusable(self, block: Block, spare: Collection[str]) -> str | None:
        """Name a variable that the block is the last to read, shaped like its result.

        The result can be written over it, which saves memory.  The conjugate of a real
        array is the array itself, so neither of the two is written over; nor is what
        another variable views.
        """
        step, arrays = block.step, self.arrays.arrays
        terms = [value.subscripts for value in step.arguments]
        output = step.result.subscripts
        if isinstance(step.op, Einsum):
            # In the letters of the step, which tell what is broadcast.
            terms, output = list(step.op.operands), step.op.output
        result = tuple(output[axis] for axis in arrays[step.result.name].axes)
        for value, term in zip(step.arguments, terms, strict=True):
            array = arrays[value.name]
            held = isinstance(array.expr, Ref) and array.expr.name in spare
            seen = value.name in self.conjugates or str(array.expr) in self.viewed
            alike = tuple(term[axis] for axis in array.axes) == result
            if held and alike and array.owned and not seen:
                return str(array.expr)
        return None

    def _print(
        self,
        printer: Printer,
        block: Block,
        typed: str,
        reusable: str | None,
        dying: Collection[str] | None,
    ) -> None:
        if block.statements and "->" in block.notation:
            printer.lines.extend(_comment(block.notation, printer.indent, self.width))
        if block.small is None:
            self._print_all(printer, block.statements, typed, reusable)
            return
        bound = f"{printer.extent(block.small.extent)} <= {block.small.bound}"
        with printer.branch(f"if {bound}:", dying):
            self._print_all(printer, block.small.statements, typed, reusable)
        with printer.branch("else:", dying):
            self._print_all(printer, block.statements, "", reusable)

    @staticmethod
    def _print_all(
        printer: Printer,
        statements: Iterable[Statement],
        typed: str,
        reusable: str | None,
    ) -> None:
        for statement in statements:
            annotate = statement.assigned == typed
            printer.statement(statement, ": Array" if annotate else "", reusable)

    @staticmethod
    def _delete(
        printer: Printer, dying: Sequence[str], kept: Collection[str]
    ) -> list[str]:
        """Delete variables after their last use, and the named parts of expressions."""
        names = printer.drop_parts(dying) + [n for n in dying if n not in kept]
        printer.delete(names)
        return names

    def _sizes(
        self, blocks: Sequence[Block], known: Sequence[str], read: set[str]
    ) -> tuple[list[str], set[str]]:
        """Bind the sizes that shapes are written in, and name their arrays."""
        needed = dict.fromkeys(
            self.same_size[index] for block in blocks for index in block.sizes
        )
        lines = [
            f"    {self.size_names[index]} = {self.constants[index]}"
            for index in needed
            if index in self.constants
        ]
        missing = [index for index in needed if index not in self.constants]
        sources: set[str] = set()
        # An array that is read anyway tells its sizes at no cost.
        for name, layout in sorted(
            self._layouts(), key=lambda pair: pair[0] not in read
        ):
            bound = [index for index in missing if index in layout]
            if bound and name in known:
                sources.add(name)
                lines.extend(self._bind(name, layout, bound))
                missing = [index for index in missing if index not in bound]
        if missing:
            raise InternalError(f"no array at hand tells the sizes of {missing}")
        return lines, sources

    def _bind(self, name: str, layout: Subscripts, bound: Sequence[Index]) -> list[str]:
        names = []
        for axis, index in enumerate(layout):
            first = layout.index(index) == axis
            names.append(self.size_names[index] if first and index in bound else "_")
        return assign_tuple(names, f"{name}.shape", self.width)

    def _layouts(self) -> Iterator[tuple[str, Subscripts]]:
        """Yield the variables that hold values, with what the sizes are named after."""
        for name, layout in self.arrays.layouts(self.program):
            yield name, tuple(self.same_size[index] for index in layout)


def _views(value: Expr) -> bool:
    """Tell whether a value may be a view of a variable."""
    return isinstance(value, Ref) or (value.op in VIEWS and _views(value.args[0]))


def _last_uses(blocks: Sequence[Block]) -> list[list[str]]:
    """List, for each block, the variables of these blocks that none reads later."""
    made = set(assigned(blocks))
    last: dict[str, int] = {}
    for position, block in enumerate(blocks):
        read = (name for statement in block.all_statements for name in statement.read)
        used = dict.fromkeys([*assigned([block]), *read])
        last.update({name: position for name in used if name in made})
    dying: list[list[str]] = [[] for _ in blocks]
    for name, position in last.items():
        dying[position].append(name)
    return dying


def free_variables(statements: Iterable[Statement]) -> set[str]:
    """Name the variables that are read before they are assigned."""
    free: set[str] = set()
    made: set[str | None] = set()
    for statement in statements:
        free |= {*statement.read} - made
        made.add(statement.assigned)
    return free


def needed_blocks(blocks: Sequence[Block], wanted: Collection[str]) -> list[Block]:
    """Keep the blocks that the variables ``wanted`` are computed by."""
    needed = set(wanted)
    kept: list[Block] = []
    for block in reversed(blocks):
        if needed.intersection(assigned([block])):
            needed |= free_variables(block.all_statements)
            kept.append(block)
    return kept[::-1]


def _comment(notation: str, indent: str, width: int) -> list[str]:
    if fits(f"{indent}# {notation}", width):
        return [f"{indent}# {notation}"]
    parts = notation.replace(",", ",\n").replace("->", "\n->").split("\n")
    lines = [line for part in parts for line in textwrap.wrap(part, width // 2 - 6)]
    return [f"{indent}# {line}" for line in lines]
