"""A product of two arrays, and a way to compute it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from . import cost
from .array_program import VIEWS, Node, Shape, nodes
from .index_sets import IndexSets, index_sets
from .spec import Einsum, Index, Subscripts
from .views import Source


@dataclass(frozen=True)
class Candidate:
    """A way to compute a pairwise einsum.

    ``value`` has the axes ``order``.  With ``into``, the result is a fresh array of
    the axes ``order`` and ``value`` is written through that view of it, which
    ``into`` gives as its shape in groups and the order of the groups.  ``views`` are
    the arguments' indices as the primitive sees them.
    """

    primitive: str
    value: Node
    order: Subscripts
    views: tuple[Subscripts, Subscripts]
    cost: float
    into: tuple[Shape, tuple[int, ...]] | None = None

    @property
    def time(self) -> float:
        """The estimated time with the views that are taken."""
        views = sum(node.op in VIEWS for node in nodes(self.value))
        return self.cost + cost.VIEW_CALL * views


@dataclass(frozen=True)
class Problem:
    """Two sources, the result's indices, and the sizes that the estimate assumes.

    The result is to have its axes in the order ``wanted``, or in any if that is None;
    its memory too, unless ``any_memory`` will do.
    """

    a: Source
    b: Source
    kept: Subscripts
    wanted: Subscripts | None
    sizes: Mapping[Index, int]
    any_memory: bool = False

    @functools.cached_property
    def sets(self) -> IndexSets:
        """Sort the indices as a sees them."""
        return index_sets(Einsum((self.a.order, self.b.order), self.kept))

    @property
    def rows(self) -> Subscripts:
        """The indices of a alone, in the order wanted where there is one."""
        return self._ordered(self.sets.left_kept)

    @property
    def columns(self) -> Subscripts:
        """The indices of b alone, in the order wanted where there is one."""
        return self._ordered(self.sets.right_kept)

    def _ordered(self, indices: Subscripts) -> Subscripts:
        if self.wanted is None:
            return indices
        return tuple(index for index in self.wanted if index in indices)

    def turned(self) -> Problem:
        """Return the same product with the operands exchanged."""
        return replace(self, a=self.b, b=self.a)

    def size(self, indices: Subscripts) -> int:
        """Count the entries along ``indices``."""
        return cost.entries(indices, self.sizes)
