"""A function in blocks: a loop over slices of the operands, around one call a block.

A block of an index is a view of every operand that has it.  What a block gives is a
block of each result that has the index, and a part of the sum in each that has not:

    ij,jk->ik in blocks of i      output[block_i] = _forward_block(a[block_i], b)
    ij,jk->ik in blocks of j      output += _forward_block(a[:, block_j], b[block_j])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .functions import Function
from .pretty import Doc, assign_tuple, broken, call, tuple_of
from .program import Names, Value
from .request import Request
from .spec import Index, Subscripts
from .targets.numpy import size_names


@dataclass(frozen=True)
class BlockFunction:
    """A function that computes one block, and the type that it returns."""

    name: str
    doc: str
    parameters: list[str]
    lines: list[str]
    type: str


@dataclass(frozen=True)
class Part:
    """The body that computes one block, what it may read, and what it computes.

    results: the arrays that the blocks are gathered in; what: how to call them.
    """

    name: str
    what: str
    body: Function
    inputs: Sequence[Value]
    results: Sequence[Value]

    def written(self, width: int) -> BlockFunction:
        """Return the function that the loop calls."""
        names = [value.name for value in self.results]
        returned = [f"    return {names[0]}"]
        if len(names) > 1:
            returned = broken("return ", tuple_of(names), indent="    ", width=width)
        return BlockFunction(
            name=f"_{self.name}_block",
            doc=f"Compute {self.what} of one block.",
            parameters=list(self.body.parameters),
            lines=[*self.body.lines, *returned],
            type="tuple[Array, ...]" if len(names) > 1 else "Array",
        )


@dataclass(frozen=True)
class Loop:
    """Writes loops over the blocks of some indices, of these lengths.

    taken: names that the slices and what a block gives may not have.
    """

    request: Request
    lengths: Mapping[Index, int]
    taken: Sequence[str]

    def function(self, part: Part) -> Function:
        """Write the body that gathers what a part computes of each block."""
        width = self.request.line_length
        names = Names(self.taken)
        slices = size_names([*self.lengths], self.taken, stem="block")
        block, gained = names.fresh("block"), names.fresh("gained")
        dtype = f"{self.request.operands[0]}.dtype"
        lines: list[str] = []

        def write(prefix: str, doc: Doc, suffix: str = "", indent: int = 8) -> None:
            outside = " " * indent
            lines.extend(broken(prefix, doc, suffix, indent=outside, width=width))

        for value in part.results:
            fresh = "np.empty" if self._apart(value.subscripts) else "np.zeros"
            shape = tuple_of([self.size(index) for index in value.subscripts])
            write(f"{value.name} = ", call(fresh, shape, dtype), "", 4)
        cuts = [tuple_of([self.size(i), str(n)]) for i, n in self.lengths.items()]
        write(f"for {block} in ", call("_blocks", *cuts), ":", 4)
        unpacked = assign_tuple([*slices.values()], block, width - 4)
        lines.extend(f"    {line}" for line in unpacked)
        read = [value for value in part.inputs if value.name in part.body.parameters]
        found = call(
            part.written(width).name, *(_view(value, slices) for value in read)
        )
        if len(part.results) == 1:
            write(self._gathering(part.results[0], slices), found)
        else:
            write(f"{gained} = ", found)
            for k, value in enumerate(part.results):
                write(self._gathering(value, slices), f"{gained}[{k}]")
            write("", f"del {gained}")
        inputs = tuple(value.name for value in part.inputs)
        return Function(inputs, tuple(lines), False)

    def size(self, index: Index) -> str:
        """Write the size of an index, which some operand tells."""
        einsum = self.request.einsum
        if index in einsum.new_indices:
            return str(self.request.sizes[index])
        return next(
            f"{name}.shape[{term.index(index)}]"
            for name, term in zip(self.request.operands, einsum.operands, strict=True)
            if index in term
        )

    def _gathering(self, value: Value, slices: Mapping[Index, str]) -> str:
        operator = "=" if self._apart(value.subscripts) else "+="
        return f"{_view(value, slices)} {operator} "

    def _apart(self, subscripts: Subscripts) -> bool:
        """Tell whether every entry is in one block: else blocks are added to zeros."""
        return all(subscripts.count(index) == 1 for index in self.lengths)


def _view(value: Value, slices: Mapping[Index, str]) -> str:
    """Write the view of a block."""
    axes = [slices.get(index, ":") for index in value.subscripts]
    while axes and axes[-1] == ":":
        axes.pop()
    return f"{value.name}[{', '.join(axes)}]" if axes else value.name
