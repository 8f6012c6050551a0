"""Text or number -> a limit of the memory in elements."""

from __future__ import annotations

import math
import re

from .errors import OptionError

# What a limit in bytes counts an element as: float64.
BYTES_AN_ELEMENT = 8

_POWERS = {letter: power for power, letter in enumerate(" kMGT") if power} | {"K": 1}


def read_memory_limit(limit: object) -> int | None:
    """Return a limit in elements: ``1e6``, or bytes as ``64MB``, ``1.5 GiB``.

    kB, MB, GB and TB are powers of 1000 bytes, KiB, MiB, GiB and TiB of 1024.

    Raises OptionError for anything else, and for less than one element.
    """
    if limit is None:
        return None
    found = re.fullmatch(
        r"(\d+(?:\.\d*)?(?:e\+?\d{1,2})?)(?: ?([kKMGT]?)(i?)B)?",
        str(limit).strip(),
        re.ASCII,
    )
    if found is None or isinstance(limit, bool):
        raise OptionError(
            f"cannot read memory limit {limit!r}; "
            f"write elements as 1e6, or bytes as 64MB or 1GiB"
        )
    number, letter, binary = found.groups()
    elements = float(number)
    if letter is not None:
        power = _POWERS.get(letter, 0)
        elements *= (1024 if binary else 1000) ** power / BYTES_AN_ELEMENT
    if elements < 1 or not math.isfinite(elements):
        raise OptionError(f"memory limit {limit!r} is less than one element")
    return int(elements)
