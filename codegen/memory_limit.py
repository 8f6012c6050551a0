"""A limit of the memory: how it is read, and what is known of how it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .errors import OptionError
from .spec import Index

# What a limit in bytes counts an element as: float64.
BYTES_AN_ELEMENT = 8

_POWERS = {letter: power for power, letter in enumerate(" kMGT") if power} | {"K": 1}


@dataclass(frozen=True)
class Limited:
    """How a limit of the memory is kept, in elements: ``peak`` is what is reached.

    price: the multiply-adds over those of the plan without a limit.  blocks: the
    lengths of the blocks that indices are cut into.  recomputed: the values that the
    reverse sweep computes again.
    """

    limit: int
    peak: int = 0
    price: float = 1.0
    blocks: Mapping[Index, int] = field(default_factory=dict)
    recomputed: tuple[str, ...] = ()


def read_memory_limit(limit: object) -> int | None:
    """Return a limit in elements: ``1e6``, or bytes as ``64MB``, ``1.5 GiB``.

    kB, MB, GB and TB are powers of 1000 bytes, KiB, MiB, GiB and TiB of 1024.

    Raises OptionError for anything else, and for less than one element.
    """
    if limit is None:
        return None
    found = re.fullmatch(
        r"(\d{1,99}(?:\.\d{0,99})?(?:e\+?\d{1,2})?)(?: ?([kKMGT]?)(i?)B)?",
        str(limit).strip(),
        re.ASCII,
    )
    if found is None or isinstance(limit, bool):
        raise OptionError(
            f"cannot read memory limit {limit!r}; "
            f"write elements as 1e6, or bytes as 64MB or 1GiB"
        )
    number, letter, binary = found.groups()
    elements = Fraction(number)
    if letter is not None:
        power = _POWERS.get(letter, 0)
        elements *= Fraction((1024 if binary else 1000) ** power, BYTES_AN_ELEMENT)
    if elements < 1:
        raise OptionError(f"memory limit {limit!r} is less than one element")
    return int(elements)
