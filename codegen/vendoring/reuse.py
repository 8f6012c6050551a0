"""What REUSE asks for of files that are copied: https://reuse.software/spec-3.3/.

The licence of each file, with its text, and who has the copyright: nobody, since no
person wrote it.  The licence stands in the header of a file, the rest in REUSE.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import tomlkit

from ..disk import plain_text, why_bad_path
from ..errors import ConfigError, OptionError

LICENCE = PurePosixPath("LICENSES/0BSD.txt")
REUSE = PurePosixPath("REUSE.toml")


def reuse_files(
    root: Path, paths: Sequence[PurePosixPath], licence: str
) -> Mapping[PurePosixPath, str]:
    """Return the texts to write so that REUSE knows the files at ``paths``.

    Raises OptionError for a licence whose text is not known here, ConfigError for a
    REUSE.toml that cannot be changed.
    """
    if licence != "0BSD":
        raise OptionError(
            f"--reuse knows the text of 0BSD alone, not that of {licence!r}"
        )
    for path in (LICENCE, REUSE):
        if reason := why_bad_path(root, str(path)):
            raise ConfigError(f"{path} {reason}")
    texts = {} if (root / LICENCE).exists() else {LICENCE: ZERO_BSD}
    old = plain_text(root, REUSE) or "version = 1\n"
    new = _annotated(old, [str(path) for path in paths])
    return texts if new == old else {**texts, REUSE: new}


def _annotated(text: str, paths: Sequence[str]) -> str:
    """Add to REUSE.toml an annotation of those paths that have none."""
    try:
        known = tomllib.loads(text).get("annotations", [])
        listed = [path for table in known for path in _listed(table["path"])]
        new = [path for path in paths if path not in listed]
        if not new:
            return text
        annotation = {
            "path": new,
            "precedence": "aggregate",
            "SPDX-FileCopyrightText": "NONE",
            "SPDX-License-Identifier": "0BSD",
        }
        gap = "\n" if text.endswith("\n") else "\n\n"
        added = f"{text}{gap}[[annotations]]\n{tomlkit.dumps(annotation)}"
        if tomllib.loads(added)["annotations"] == [*known, annotation]:
            return added
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError):
        pass
    raise ConfigError(f"{REUSE} cannot be changed as it stands; leave out --reuse")


def _listed(path: str | list[str]) -> list[str]:
    return [path] if isinstance(path, str) else path


# https://spdx.org/licenses/0BSD.html
ZERO_BSD = """\
BSD Zero Clause License

Permission to use, copy, modify, and/or distribute this software for any purpose with
or without fee is hereby granted.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO
THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO
EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL
DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER
IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN
CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""
