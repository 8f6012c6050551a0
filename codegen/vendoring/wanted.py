"""What the files of a vendored kernel should be: their texts and manifest entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..digest import body_hash
from ..disk import read_text
from ..errors import ConfigError, EingradError, suggestion
from ..kernel_tables import KernelConfig, Vendored
from ..kernel_text import (
    entry_of,
    kernel_of,
    pinned_plan,
    recorded_text,
    render_kernel,
)
from ..manifest import MANIFEST, Entry, Manifest, read_manifest
from ..proof_file import proof_file
from ..render import render_proof
from ..request import read_request
from .header import readdressed
from .record import PROOF, accepted_body, code_hash


@dataclass(frozen=True)
class Wanted:
    """The text that a file should have, and what the manifest would say of it."""

    text: str
    entry: Entry


def wanted_files(
    root: Path, vendored: Vendored, manifest: Manifest
) -> Iterator[Wanted]:
    """Yield what the kernel's file should be, and then its test.

    Raises ConfigError if it cannot be generated, or copied from where it comes from.
    """
    recorded = manifest.entries.get(vendored.dest)
    if vendored.kernel is not None:
        module = _generated(vendored, vendored.kernel, recorded)
    else:
        module = _copied(root, vendored, f"{vendored.origin}")
    yield module
    if vendored.test is not None:
        proof = replace(module.entry, path=vendored.test, others={})
        text = _proof_text(proof, vendored.dest)
        yield _listed(text, replace(proof, **PROOF))


def written_text(entry: Entry, manifest: Manifest) -> str | None:
    """Return what was written according to ``entry``, made again from the record.

    None if this version writes another text for the same inputs.
    """
    if entry.target != PROOF["target"]:
        return recorded_text(entry)
    kernels = (e for e in manifest.entries.values() if e.vendored and e != entry)
    dest = next((e.path for e in kernels if e.kernel == entry.kernel), None)
    try:
        text = _proof_text(replace(entry, target="numpy"), dest) if dest else ""
    except EingradError:
        return None
    return text if body_hash(text) == entry.body else None


def _generated(
    vendored: Vendored, kernel: KernelConfig, recorded: Entry | None
) -> Wanted:
    command = f"eingrad vendor update {vendored.name}"
    kernel = replace(kernel, options=replace(kernel.options, regenerate=command))
    try:
        rendered = render_kernel(kernel, pinned_plan(recorded, kernel))
    except ConfigError:
        # A plan on record that does not fit gives way to a new one.
        rendered = render_kernel(kernel)
    return _listed(rendered.text, entry_of(vendored.dest, kernel, rendered))


def _copied(root: Path, vendored: Vendored, origin: str) -> Wanted:
    """Take the kernel from the project whose manifest ``origin`` names."""
    place, _, name = origin.rpartition("#")
    if PurePosixPath(place).name != MANIFEST.name or not name:
        raise ConfigError(
            f"kernel {vendored.name!r}: from must be a manifest and a kernel, such as "
            f'"../other/{MANIFEST}#{vendored.name}", got "{origin}"'
        )
    other = (root / place).parent
    manifest = read_manifest(other)
    if manifest is None:
        raise ConfigError(f"kernel {vendored.name!r}: there is no {place}")
    modules = {e.kernel: e for e in manifest.entries.values() if e.target == "numpy"}
    if name not in modules:
        known = list(modules)
        close = suggestion(name, known) or f"; it has {', '.join(known) or 'none'}"
        raise ConfigError(
            f"kernel {vendored.name!r}: {place} lists no kernel {name!r}{close}"
        )
    entry = modules[name]
    try:
        text = read_text(other, entry.path)
    except FileNotFoundError:
        text = None
    if text is None or body_hash(text) != accepted_body(entry):
        raise ConfigError(
            f"kernel {vendored.name!r}: {other / entry.path} is not what {place} says "
            "of it; bring it up to date there"
        )
    text = readdressed(text, f"eingrad vendor update {vendored.name}")
    copied = replace(entry, path=vendored.dest, kernel=vendored.name, patch="")
    return _listed(text, replace(copied, others={"from": origin}))


def _proof_text(entry: Entry, dest: PurePosixPath) -> str:
    """Return the test at ``entry.path`` of the kernel at ``dest``."""
    kernel = kernel_of(entry)
    request = read_request(kernel.spec, kernel.options)
    return render_proof(proof_file(request, kernel.name, str(dest), str(entry.path)))


def _listed(text: str, entry: Entry) -> Wanted:
    """Complete what the manifest says of a vendored file with this text."""
    others = {**entry.others, "code": code_hash(text)}
    body = body_hash(text)
    return Wanted(text, replace(entry, vendored=True, body=body, others=others))
