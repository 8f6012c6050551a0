"""Arrays of at most two axes -> their product as a formula of matrices.

Indices are vertices and matrices are edges between them: a path is a product, a ring
a trace, two separate paths an outer product, parallel edges a Hadamard product; a
vector at an inner vertex scales, as a diagonal matrix.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..spec import Index, Subscripts, unique
from .formula import (
    Call,
    Constant,
    Formula,
    Hadamard,
    factors_of,
    product,
    transposed,
)

ONES = Constant("1")
IDENTITY = Constant("I")


@dataclass
class Graph:
    """Vectors at vertices, matrices on edges (rows first), and scalars."""

    scalars: list[Formula] = field(default_factory=list)
    vectors: dict[Index, list[Formula]] = field(default_factory=dict)
    edges: dict[Subscripts, list[Formula]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, terms: Sequence[tuple[Formula, Subscripts]], output: Subscripts
    ) -> Graph:
        """Draw the graph of arrays with these subscripts."""
        graph = cls(vectors={index: [] for index in output})
        for formula, term in terms:
            for index in term:
                graph.vectors.setdefault(index, [])
            if not term:
                graph.scalars.append(formula)
            elif len(term) == 1:
                graph.vectors[term[0]].append(formula)
            elif term[0] == term[1]:
                graph.vectors[term[0]].append(Call("diag", formula))
            elif term[::-1] in graph.edges:
                graph.edges[term[::-1]].append(transposed(formula))
            else:
                graph.edges.setdefault(term, []).append(formula)
        return graph

    def formula(self, output: Subscripts) -> Formula | None:
        """Return the formula of the array with the indices ``output``, or None."""
        roots = unique(output)
        components = list(self._components())
        closed = [c for c in components if not set(roots) & set(c)]
        found: list[Formula | None] = [*self.scalars, *map(self._scalar, closed)]
        if len(roots) == 2:
            found.append(self._matrix(roots[0], roots[1], components))
        elif roots:
            vector = self._vector(roots[0], components)
            found.append(vector and (_diagonal(vector) if len(output) > 1 else vector))
        whole = [factor for factor in found if factor is not None]
        if len(whole) < len(found):
            return None
        if not roots:
            return product(whole)
        # Numbers stay apart from each other; the array that they scale does not.
        return product([*whole[:-1], *factors_of(whole[-1])])

    def _components(self) -> Iterator[tuple[Index, ...]]:
        """Yield the vertices of each connected component."""
        left = dict.fromkeys(self.vectors)
        while left:
            found = [next(iter(left))]
            for vertex in found:
                found += [n for n, _ in self._branches(vertex) if n not in found]
            left = {vertex: None for vertex in left if vertex not in found}
            yield tuple(found)

    def _branches(self, vertex: Index) -> Iterator[tuple[Index, Formula]]:
        """Yield each neighbour, and the matrix with its rows at ``vertex``."""
        for (row, column), matrices in self.edges.items():
            matrix = _entrywise(matrices)
            if row == vertex:
                yield column, matrix
            elif column == vertex:
                yield row, transposed(matrix)

    def _is_tree(self, component: Sequence[Index]) -> bool:
        return sum(edge[0] in component for edge in self.edges) == len(component) - 1

    def _vector(
        self, root: Index, components: Sequence[Sequence[Index]]
    ) -> Formula | None:
        """Contract the tree around ``root`` to a vector, or the ring through it."""
        component = next(c for c in components if root in c)
        if self._is_tree(component):
            return self._hanging(root)
        around = self._ring(root, component)
        return around and Call("diag", around)

    def _hanging(self, vertex: Index, *parents: Index) -> Formula:
        """Contract what hangs on a vertex, away from its parents, to a vector."""
        factors = list(self.vectors[vertex])
        for child, matrix in self._branches(vertex):
            if child not in parents:
                factors.append(_times(matrix, self._hanging(child, vertex)))
        return _entrywise(factors)

    def _matrix(
        self, row: Index, column: Index, components: Sequence[Sequence[Index]]
    ) -> Formula | None:
        """Multiply along the path, or out of two vectors where there is none."""
        component = next(c for c in components if row in c)
        if column not in component:
            left = self._vector(row, components)
            right = self._vector(column, components)
            return left and right and _times(left, transposed(right))
        if self._is_tree(component):
            return self._path(row, column)
        # A matrix beside a path between the same two indices multiplies it entrywise.
        beside = self.edges.get((row, column)) or self.edges.get((column, row))
        if beside is None:
            return None
        direct = [m for n, m in self._branches(row) if n == column]
        edges = {e: m for e, m in self.edges.items() if set(e) != {row, column}}
        rest = Graph([], self.vectors, edges)
        if not rest._is_tree(component):
            return None
        around = rest._path(row, column)
        return around and _entrywise([around, *direct])

    def _path(self, row: Index, column: Index) -> Formula | None:
        """Multiply the matrices of a tree along the path from row to column."""
        path = self._walk([row], column)
        factors: list[Formula] = []
        for k, vertex in enumerate(path):
            around = set(path[max(0, k - 1) : k + 2]) - {vertex}
            scale = self._hanging(vertex, *around)
            if scale != ONES:
                factors.append(_diagonal(scale))
            matrices = dict(self._branches(vertex))
            factors += [matrices[n] for n in path[k + 1 : k + 2]]
        return _times(*factors)

    def _walk(self, path: list[Index], goal: Index) -> list[Index]:
        """Return the vertices from the last of ``path`` to ``goal``, or nothing."""
        if path[-1] == goal:
            return path
        ahead = [n for n, _ in self._branches(path[-1]) if n not in path]
        for neighbour in ahead:
            if found := self._walk([*path, neighbour], goal):
                return found
        return []

    def _scalar(self, component: Sequence[Index]) -> Formula | None:
        """Contract a component that no output index is in to a number."""
        if not self._is_tree(component):
            around = self._ring(component[0], component)
            return around and Call("tr", around)
        ends = [v for v in component if len(list(self._branches(v))) <= 1]
        root = next((v for v in ends if self.vectors[v]), ends[0])
        vectors, branches = self.vectors[root], list(self._branches(root))
        bare = not any(self.vectors[v] for v in component)
        matrices = next(iter(m for e, m in self.edges.items() if e[0] in component), [])
        if len(component) == 2 and bare and len(matrices) == 2:
            return Call("tr", _times(transposed(matrices[0]), matrices[1]))
        if not branches:
            match vectors:
                case [Call("diag", matrix)]:
                    return Call("tr", matrix)
                case [first, *others] if others:
                    return _times(transposed(first), _entrywise(others))
            return _times(transposed(ONES), *vectors)
        ((child, matrix),) = branches
        rest = _times(matrix, self._hanging(child, root))
        return _times(transposed(_entrywise(vectors)), rest)

    def _ring(self, start: Index, component: Sequence[Index]) -> Formula | None:
        """Multiply around a ring; None where the component is more than that."""
        if any(len(list(self._branches(vertex))) != 2 for vertex in component):
            return None
        path = [start, next(iter(self._branches(start)))[0]]
        while path[-1] != start:
            path += [n for n, _ in self._branches(path[-1]) if n != path[-2]]
        factors: list[Formula] = []
        for here, there in itertools.pairwise(path):
            if self.vectors[here]:
                factors.append(_diagonal(_entrywise(self.vectors[here])))
            factors.append(dict(self._branches(here))[there])
        return _times(*factors)


def _times(*factors: Formula) -> Formula:
    """Multiply, products in a row as one."""
    return product(itertools.chain(*map(factors_of, factors)))


def _entrywise(factors: Sequence[Formula]) -> Formula:
    """Multiply entry by entry; nothing is the vector of ones."""
    if len(factors) > 1:
        return Hadamard(tuple(factors))
    return factors[0] if factors else ONES


def _diagonal(vector: Formula) -> Formula:
    return IDENTITY if vector == ONES else Call("Diag", vector)
