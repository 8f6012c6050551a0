"""One build of a project at a time, by a lock that the system drops with its holder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    # Beyond any file's end, so that nobody who reads or writes the file is hindered.
    _PLACE = 0x7FFF_0000

    def _try_to_lock(file: int) -> bool:
        os.lseek(file, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_to_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A file system without locks: every file is still replaced as a whole.
            return True
        return True


@contextmanager
def exclusive(
    source: Path, waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock of the project that the configuration ``source`` belongs to.

    The lock is on that file, which every build reads and none writes; no file is made.
    ``waiting`` is called once if somebody else has it.
    """
    file = _opened(source)
    try:
        if not _try_to_lock(file):
            waiting()
            while not _try_to_lock(file):
                time.sleep(0.05)
        yield
    finally:
        os.close(file)


def _opened(source: Path) -> int:
    """Open the file, to write where that is allowed: NFS locks no other files."""
    try:
        return os.open(source, os.O_RDWR)
    except OSError:
        return os.open(source, os.O_RDONLY)
