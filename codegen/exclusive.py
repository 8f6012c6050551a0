"""One command on a project at a time, by a lock that ends with its holder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .config import source_of
from .errors import ConfigError

if sys.platform == "win32":
    import msvcrt
    from hashlib import sha256
    from tempfile import gettempdir

    def _locked(root: Path) -> int | None:
        """Lock a file elsewhere, for none that is open can be replaced."""
        name = sha256(os.path.realpath(root).encode()).hexdigest()
        path = os.path.join(gettempdir(), f"eingrad-{name[:16]}.lock")
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            os.close(file)
            return None
        return file

else:
    import fcntl

    def _locked(root: Path) -> int | None:
        """Lock the project; None if somebody else has it."""
        file = _opened(root)
        if _try_to_lock(file) and _is_present(file, root):
            return file
        os.close(file)
        return None

    def _opened(root: Path) -> int:
        """Open the file, to write where that is allowed: NFS locks no other files."""
        try:
            return os.open(source_of(root), os.O_RDWR)
        except FileNotFoundError:
            return os.open(root, os.O_RDONLY)
        except OSError:
            return os.open(source_of(root), os.O_RDONLY)

    def _try_to_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A file system without locks: every file is still replaced as a whole.
            return True
        return True

    def _is_present(file: int, root: Path) -> bool:
        """Return whether nobody has replaced the file since it was opened."""
        try:
            present = os.stat(source_of(root))
        except FileNotFoundError:
            present = os.stat(root)
        return os.path.samestat(os.fstat(file), present)


@contextmanager
def exclusive(root: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of the project in ``root``; what was read before may be outdated.

    The lock is on the file of the configuration, or on the folder while there is none:
    no file is made in the project.  Who replaces that file gives up the lock with it,
    and so does that last.  ``waiting`` is called once if somebody else has the lock.

    Raises ConfigError for a file that cannot be read.
    """
    try:
        file = _locked(root)
        if file is None:
            waiting()
        while file is None:
            time.sleep(0.05)
            file = _locked(root)
    except OSError as error:
        raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from error
    try:
        yield
    finally:
        os.close(file)
