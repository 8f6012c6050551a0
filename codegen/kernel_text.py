"""From a configured kernel to its text, and what the manifest says of how it was made.

Configuration meets the pipeline here and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from .contraction import Path
from .digest import body_digest, body_hash, hashed, is_ours, recorded_digest
from .errors import ConfigError, EingradError, InternalError
from .generator import generator_hash
from .kernel_tables import KernelConfig
from .manifest import Entry
from .options import Options

# What a module needs where it runs, if it imports it.
_REQUIRES = {"numpy": "numpy>=1.26", "scipy": "scipy>=1.11"}

# Options that the manifest names elsewhere, or that follow from the kernel's name.
_ELSEWHERE = ("license", "name", "regenerate", "target")

# Options that leave the contraction path as it is.  Others might not, such as those
# that say which gradients there are: to plan afresh is what happens if one changes.
_AFTER_THE_PLAN = ("complex", "line_length", "output")

_PINNED = (
    "\n  the plan is that of eingrad.lock; `eingrad build --replan {}` makes another"
)


@dataclass(frozen=True)
class Rendered:
    """The text of a module, and the contraction path that it takes."""

    text: str
    plan: Path


def render_kernel(kernel: KernelConfig, plan: Path | None = None) -> Rendered:
    """Return the module of ``kernel``, contracted along ``plan`` if there is one.

    Raises ConfigError, which names the kernel, where it cannot be generated.
    """
    from .pipeline import derive, written
    from .request import read_request

    why = ""
    try:
        request = read_request(kernel.spec, complete(kernel))
        # Within a limit, the price in the text is over the plan without it.
        if plan is not None and request.memory_limit is None:
            request = replace(request, optimize=plan)
            why = _PINNED.format(kernel.name)
        derivation = derive(request)
    except InternalError:
        raise
    except EingradError as error:
        raise ConfigError(f"kernel {kernel.name!r}: {error}{why}") from error
    return Rendered(written(derivation), derivation.tree.path)


def checked(kernel: KernelConfig, rendered: Rendered) -> Rendered:
    """Return what was rendered if the next build will know it as ours.

    Raises InternalError.
    """
    text = rendered.text
    if not is_ours(text) or recorded_digest(text) != body_digest(text):
        raise InternalError(f"the module of kernel {kernel.name!r} lacks its digest")
    return rendered


def complete(kernel: KernelConfig) -> Options:
    """Return the options of ``kernel`` with its name, and the command in its header."""
    command = kernel.options.regenerate or f"eingrad build {kernel.name}"
    return replace(kernel.options, name=kernel.name, regenerate=command)


def pinned_plan(entry: Entry | None, kernel: KernelConfig) -> Path | None:
    """Return the plan that is on record, None where it was made for something else."""
    if entry is None or not entry.plan or entry.spec != kernel.spec:
        return None
    recorded, given = entry.options, _given(kernel.options)
    steering = {*recorded, *given}.difference(_AFTER_THE_PLAN)
    same = all(recorded.get(name) == given.get(name) for name in steering)
    return entry.plan if same else None


def inputs_hash(kernel: KernelConfig, plan: Path) -> str:
    """Return the hash of all that the text of a kernel depends on.

    That is canonical JSON of the spec, the options that were given, the plan, and the
    hash of our own source and templates.
    """
    inputs = {
        "spec": kernel.spec,
        "options": complete(kernel).unlike_default(),
        "plan": plan,
        "generator": generator_hash(),
    }
    return hashed(json.dumps(inputs, sort_keys=True, default=dict))


def entry_of(path: PurePosixPath, kernel: KernelConfig, rendered: Rendered) -> Entry:
    """Return what the manifest says of a file once it holds what was rendered."""
    text = rendered.text
    requires = tuple(
        requirement
        for library, requirement in _REQUIRES.items()
        if re.search(rf"^\s*(import|from) {library}\b", text, re.MULTILINE)
    )
    return entry_with(path, kernel, rendered.plan, body_hash(text), requires)


def entry_with(
    path: PurePosixPath,
    kernel: KernelConfig,
    plan: Path,
    body: str,
    requires: tuple[str, ...],
) -> Entry:
    """Return what the manifest says of a file whose text has the hash ``body``."""
    return Entry(
        path=path,
        kernel=kernel.name,
        spec=kernel.spec,
        options=_given(kernel.options),
        target=kernel.options.target,
        plan=plan,
        inputs=inputs_hash(kernel, plan),
        body=body,
        license=kernel.options.license,
        requires=requires,
    )


def kernel_of(entry: Entry) -> KernelConfig:
    """Return the kernel that is on record."""
    command = f"eingrad vendor update {entry.kernel}" if entry.vendored else None
    options = Options(
        target=entry.target,
        license=entry.license,
        regenerate=command,
        **entry.options,
    )
    return KernelConfig(entry.kernel, entry.spec, options)


def recorded_text(entry: Entry) -> str | None:
    """Return what was written according to ``entry``, rendered again from the record.

    None if it cannot be, since this version writes another text for the same inputs.
    """
    try:
        text = render_kernel(kernel_of(entry), entry.plan or None).text
    except EingradError:
        return None
    return text if body_hash(text) == entry.body else None


def _given(options: Options) -> Mapping[str, Any]:
    """Return the options that the manifest records, their lists as tuples."""
    given = options.unlike_default().items()
    return {name: _frozen(value) for name, value in given if name not in _ELSEWHERE}


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value
