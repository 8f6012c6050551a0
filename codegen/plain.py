"""The test for operands that can be computed with as they are.

Written out for the spec at hand, since every call pays for it: one comparison of
shapes an operand; the first axis that an index stands on tells its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .pretty import assign_tuple, broken, fits, tuple_of
from .request import Request
from .spec import Index, Subscripts


def plain_tests(request: Request, size_names: Mapping[Index, str]) -> list[str]:
    """Write the body of ``_plain_shape``: its tests, then the output's shape."""
    einsum, width = request.einsum, request.line_length
    same = request.same_size
    terms = {
        place.name: tuple(same[index] for index in place.subscripts)
        for place in request.places
    }
    places = [index for term in terms.values() for index in term]
    output = tuple(same[index] for index in einsum.output)
    sizes = {i: str(request.sizes[i]) for i in einsum.new_indices}
    lines: list[str] = []
    for name, term in terms.items():
        new = [index for index in dict.fromkeys(term) if index not in sizes]
        lines += _refusal(_unlike(name, term, next(iter(terms)), new), width)
        sizes.update({index: size_names[index] for index in new})
        # A size is read where the index stands again, or in the output.
        read = {i for i in new if places.count(i) > 1 or i in output}
        if read:
            firsts = [i in read and term.index(i) == p for p, i in enumerate(term)]
            bound = [sizes[i] if f else "_" for i, f in zip(term, firsts, strict=True)]
            lines += assign_tuple(bound, f"{name}.shape", width)
        if len(new) < len(term):
            shape = [
                f"{name}.shape[{p}]" if i in new and i not in read else sizes[i]
                for p, i in enumerate(term)
            ]
            test = f"if {name}.shape != "
            lines += broken(test, tuple_of(shape), ":", indent="    ", width=width)
            lines.append("        return None")
    shape = [sizes[index] for index in output]
    return [*lines, *broken("return ", tuple_of(shape), indent="    ", width=width)]


def _unlike(name: str, term: Subscripts, first: str, new: Sequence[Index]) -> list[str]:
    """Write the conditions under which an operand is not like the first one."""
    other = "not in _PLAIN" if name == first else f"is not {first}.dtype"
    tests = [f"type({name}) is not np.ndarray", f"{name}.dtype {other}"]
    # Else its whole shape is compared.
    if new or not term:
        tests.append(f"{name}.ndim != {len(term)}")
    return tests


def _refusal(tests: Sequence[str], width: int) -> list[str]:
    line = f"    if {' or '.join(tests)}:"
    conditions = [line] if fits(line, width) else [f"    if {test}:" for test in tests]
    return [line for test in conditions for line in (test, "        return None")]
