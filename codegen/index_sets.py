"""Einsum -> IndexSets: which index plays which part.

For two operands u and v and the output w, the indices fall into

    I  in u, not in v      kept: also in w      lone: not in w (summed alone)
    J  in u and in v       batch: also in w     contracted: not in w
    K  in v, not in u      kept: also in w      lone: not in w

With more operands, v stands for all the others together; with one, v is empty.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass

from .spec import Einsum, Index, Subscripts, unique


@dataclass(frozen=True)
class IndexSets:
    """The refined sets of operand ``u`` against the others, in spec order.

    Each index of the spec is in exactly one of the first seven fields; ``repeated``
    lists the indices that stand more than once in ``u``.
    """

    left_kept: Subscripts
    left_lone: Subscripts
    batch: Subscripts
    contracted: Subscripts
    right_kept: Subscripts
    right_lone: Subscripts
    new: Subscripts
    repeated: Subscripts

    @property
    def only_left(self) -> Subscripts:
        """I: the indices that stand in u and not in v."""
        return self.left_kept + self.left_lone

    @property
    def both(self) -> Subscripts:
        """J: the indices that stand in u and in v."""
        return self.batch + self.contracted

    @property
    def only_right(self) -> Subscripts:
        """K: the indices that stand in v and not in u."""
        return self.right_kept + self.right_lone


def index_sets(einsum: Einsum, operand: int = 0) -> IndexSets:
    """Sort the indices of ``einsum`` as ``operand`` (from 0) sees them."""
    u = einsum.operands[operand]
    others = einsum.operands[:operand] + einsum.operands[operand + 1 :]
    v = set(itertools.chain(*others))
    w = set(einsum.output)
    found: dict[tuple[bool, bool, bool], list[Index]] = defaultdict(list)
    for index in einsum.indices:
        found[index in u, index in v, index in w].append(index)

    def pick(in_u: bool, in_v: bool, in_w: bool) -> Subscripts:
        return tuple(found[in_u, in_v, in_w])

    return IndexSets(
        left_kept=pick(True, False, True),
        left_lone=pick(True, False, False),
        batch=pick(True, True, True),
        contracted=pick(True, True, False),
        right_kept=pick(False, True, True),
        right_lone=pick(False, True, False),
        new=pick(False, False, True),
        repeated=unique(index for index in u if u.count(index) > 1),
    )
