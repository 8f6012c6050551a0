"""The test for operands that can be computed with as they are.

Written out for the spec at hand, since every call pays for it: one comparison of
shapes an operand; the first axis that an index stands on tells its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .pretty import Doc, assign_tuple, broken, fits, tuple_of
from .request import Request
from .spec import Index, Subscripts


def plain_tests(request: Request, size_names: Mapping[Index, str]) -> list[str]:
    """Write the body of ``_plain_shape``: its tests, then the output's shape."""
    tests = _Tests(request, size_names)
    for name, term in zip(request.operands, request.einsum.operands, strict=True):
        if name in tests.terms:
            tests.same_array(name, term)
        else:
            tests.operand(name, term)
    shape = tuple_of([tests.sizes[index] for index in request.einsum.output])
    return [*tests.lines, *tests.laid_out("return ", shape)]


@dataclass
class _Tests:
    """The lines so far; the size of each index met; the term of each operand met."""

    request: Request
    size_names: Mapping[Index, str]
    lines: list[str] = field(default_factory=list)
    terms: dict[str, Subscripts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        einsum = self.request.einsum
        self.sizes = {i: str(self.request.sizes[i]) for i in einsum.new_indices}
        places = [i for term in einsum.operands for i in term]
        shared = len(set(self.request.operands)) < len(self.request.operands)
        # A size is read where the index stands again, or in the output.
        self.read = {i for i in places if places.count(i) > 1 or shared}
        self.read.update(einsum.output)

    def operand(self, name: str, term: Subscripts) -> None:
        """Test an operand, and bind the sizes of the indices that it has first."""
        first = next(iter(self.terms), None)
        dtype = f"{name}.dtype is not {first}.dtype" if first else None
        tests = [f"type({name}) is not np.ndarray"]
        tests.append(dtype or f"{name}.dtype not in _PLAIN")
        new = [index for index in dict.fromkeys(term) if index not in self.sizes]
        if new or not term:
            tests.append(f"{name}.ndim != {len(term)}")
        self.refuse_if(tests)
        self.sizes.update({index: self.size_names[index] for index in new})
        if any(index in self.read for index in new):
            bound = [
                self.sizes[i]
                if i in new and i in self.read and term.index(i) == p
                else "_"
                for p, i in enumerate(term)
            ]
            self.lines += assign_tuple(bound, f"{name}.shape", self.request.line_length)
        if len(new) < len(term):
            shape = [
                self.sizes[i] if i in self.read else f"{name}.shape[{p}]"
                for p, i in enumerate(term)
            ]
            self.lines += self.laid_out(f"if {name}.shape != ", tuple_of(shape), ":")
            self.lines.append("        return None")
        self.terms[name] = term

    def same_array(self, name: str, term: Subscripts) -> None:
        """Test that an array fits another term: its sizes are known already."""
        for own, index in zip(self.terms[name], term, strict=True):
            size = self.sizes.setdefault(index, self.sizes[own])
            if size != self.sizes[own]:
                self.refuse_if([f"{size} != {self.sizes[own]}"])

    def refuse_if(self, tests: list[str]) -> None:
        line = f"    if {' or '.join(tests)}:"
        lines = (
            [line]
            if fits(line, self.request.line_length)
            else [f"    if {test}:" for test in tests]
        )
        for line in lines:
            self.lines += [line, "        return None"]

    def laid_out(self, prefix: str, shape: Doc, suffix: str = "") -> list[str]:
        width = self.request.line_length
        return broken(prefix, shape, suffix, indent="    ", width=width)
