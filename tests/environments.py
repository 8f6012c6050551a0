"""Virtual environments for tests: empty, and what can be lent to them."""

from __future__ import annotations

import sysconfig
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np


def empty_environment(home: Path) -> tuple[Path, Path]:
    """Make an environment, without pip; return its folders of modules and scripts."""
    venv.create(home, with_pip=False, symlinks=True)
    places = {"base": str(home), "platbase": str(home)}
    names = ("purelib", "scripts")
    site, scripts = (sysconfig.get_path(n, "venv", vars=places) for n in names)
    return Path(site), Path(scripts)


def lend_numpy(folder: Path) -> Path:
    """Write a wheel that lends the NumPy we have, and nothing else; return the folder.

    So pip installs what depends on NumPy without a network, and at once.
    """
    lent = folder / "numpy"
    lent.mkdir(parents=True)
    installed = Path(np.__file__).parent
    for part in installed.parent.glob("numpy*"):
        if not part.name.endswith(".dist-info"):
            (lent / part.name).symlink_to(part)
    name = f"numpy-{version('numpy')}"
    metadata = f"Metadata-Version: 2.1\nName: numpy\nVersion: {version('numpy')}\n"
    tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("numpy_lent.pth", f"{lent}\n")
        wheel.writestr(f"{name}.dist-info/METADATA", metadata)
        wheel.writestr(f"{name}.dist-info/WHEEL", tag)
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    return folder
