"""Show eingrad: gradient specs, a module, its proof, its speed, and what it trains.

python examples/demo.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from compare import SPEC, THREADS

NAMES = ("--operands", "query,key", "--output", "scores")


def main() -> None:
    """Show everything, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        title("The gradient of an einsum is an einsum")
        run(folder, "gradients", SPEC)
        title("A module of your own, which imports NumPy and nothing of ours")
        run(folder, SPEC, *NAMES, "-o", "scores.py")
        show(Path(folder, "scores.py").read_text())
        title("Proved on integers, to the last bit")
        run(folder, "check", "scores.py")
    title("Timed beside np.einsum, in turns, on one thread")
    # Threads that wait for a core which others keep busy would be all one measures.
    env = os.environ | {name: "1" for name in THREADS}
    script = Path(__file__).with_name("compare.py")
    subprocess.run([sys.executable, str(script)], check=True, env=env)
    title("A network for handwritten digits, trained with NumPy and generated kernels")
    script = Path(__file__).with_name("digits") / "train.py"
    subprocess.run([sys.executable, str(script)], check=True)


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def run(folder: str, *arguments: str) -> None:
    """Run a command of eingrad and show what a terminal would."""
    quoted = [f'"{a}"' if a == SPEC else a for a in arguments]
    print("$", " ".join(["eingrad", *quoted]), flush=True)
    command = [sys.executable, "-m", "eingrad", *arguments]
    subprocess.run(command, cwd=folder, check=True, stderr=subprocess.STDOUT)


def show(text: str) -> None:
    """Print the head of the module, and the function that computes the gradients."""
    lines = text.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("def _reverse("))
    end = next(i for i in range(begin, len(lines)) if not lines[i])
    print("\n".join([*lines[:10], "...", *lines[begin:end], "..."]))
    print(f"({len(lines)} lines in all)", flush=True)


if __name__ == "__main__":
    main()
