"""Lava's own Python: made once in the user's cache, never the one that thermoc runs in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from thermoc.support.errors import ThermocError, error
from thermoc.support.files import cache_root

LAVA = "lava-nc==0.10.0"
WITH_310 = (LAVA, "numpy>=1.24,<2")
WITHOUT_DEPENDENCIES = ("numpy>=2.1", "scipy", "networkx<=2.8.7", "asteval", "scikit-learn")
"""What Lava imports, where its own list of versions does not fit the running Python."""
EDITS = {
    "lava/magma/compiler/var_model.py": ("@dataclass\nclass ByteEncoder", "@dataclass(frozen=True)\nclass ByteEncoder"),
    "lava/magma/core/process/ports/ports.py": ("np.reshape, newshape=", "np.reshape, shape="),
}
"""What Lava says by file, and what it must say: Python 3.11 refuses a mutable dataclass as a default value, and NumPy
2.4 has no ``newshape``."""
LIMIT = 900.0


def folder() -> Path:
    """Return where the interpreter stands, or would."""
    return cache_root() / "lava-0.10.0"


def find() -> Path | None:
    """Return Lava's Python, or None where it was not made. ``THERMOC_LAVA`` names another one."""
    named = os.environ.get("THERMOC_LAVA")
    if named:
        return Path(named)
    return _python(folder()) if (folder() / "ready").exists() else None


def interpreter() -> Path:
    """Return Lava's Python. Errors: T302 where there is none."""
    python = find()
    if python is None:
        raise missing(f"none is in {folder()}")
    if not python.is_file():
        raise missing(f"{python} is not there" if not python.exists() else f"{python} is a folder")
    return python


def missing(fact: str) -> ThermocError:
    """Return the error that Lava's Python is not there, or is not Lava's."""
    notes, hint = ["Lava needs a Python of its own", fact], "thermoc doctor --install lava"
    if os.environ.get("THERMOC_LAVA"):
        notes.append("THERMOC_LAVA names it")
        hint += ", and leave THERMOC_LAVA unset"
    return error("T302", "running on Lava needs lava-nc, which is not installed", notes=notes, hint=hint)


def installed() -> str:
    """Return the version of lava-nc in Lava's Python, "" where there is none; one that was not made here is asked."""
    python = find()
    if not os.environ.get("THERMOC_LAVA"):
        return LAVA.partition("==")[2] if python is not None and python.exists() else ""
    code = "from importlib.metadata import version; print(version('lava-nc'))"
    with suppress(OSError, subprocess.SubprocessError):
        if python is not None:
            done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=True)
            return done.stdout.strip()
    return ""


def install(*, base: str | None = None) -> Path:
    """Make Lava's Python, unless it is there; return it. ``base`` is the Python to make it of.

    Python 3.10 where one can be had; otherwise the running one, on which Lava is installed without its own list of
    versions and with a few lines changed (``EDITS``). Errors: T302 where it cannot be made.
    """
    # Two processes may ask for it at once: the second waits, and finds it made.
    with _locked(folder().with_suffix(".lock")):
        if (folder() / "ready").exists():
            return _python(folder())
        # Without its mark a folder is what an interrupted installation left.
        shutil.rmtree(folder(), ignore_errors=True)
        old = base or python310()
        _run([old or sys.executable, "-m", "venv", str(folder())])
        pip = [str(_python(folder())), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if old is not None and _version(old) == (3, 10):
            _run([*pip, *WITH_310])
        else:
            _run([*pip, *WITHOUT_DEPENDENCIES])
            _run([*pip, "--no-deps", "--ignore-requires-python", LAVA])
            _edit()
        # An import that works shows that the versions fit, before the mark says so.
        _run([str(_python(folder())), "-c", "import lava.magma.core.run_configs, lava.proc.lif.process"])
        # Only now: an interrupted installation has no mark, and is made again.
        (folder() / "ready").write_text("")
    return _python(folder())


def python310() -> str | None:
    """Return a Python 3.10 that runs, or None: from the path, pyenv or uv."""
    return next((path for path in _candidates() if _version(path) == (3, 10)), None)


def _candidates() -> Iterator[str]:
    for name in ("python3.10", "python3", "python"):
        path = shutil.which(name)
        if path:
            yield path
    roots = (Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions",)
    roots += (Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python")),)
    for root in roots:
        yield from (str(path) for path in sorted(root.glob("*3.10*/bin/python3.10"), reverse=True))


def _version(python: str) -> tuple[int, int] | None:
    """Return (major, minor) of a Python, or None where it does not run."""
    # Debian's Python may lack venv and ensurepip, and then cannot make an environment.
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30, check=True)
        major, minor = map(int, done.stdout.split())
        return major, minor
    return None


def _python(root: Path) -> Path:
    return root / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _run(command: list[str]) -> None:
    # The modules of this process must not reach Lava's Python, which has other versions.
    environment = {
        key: item for key, item in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    }
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise error("T302", "Lava's Python cannot be made", notes=[" ".join(command), str(reason)]) from None
    if done.returncode:
        notes = [" ".join(command), *done.stderr.strip().splitlines()[-5:]]
        raise error("T302", "Lava's Python cannot be made", notes=notes, hint="is the package index reachable?")


def _edit() -> None:
    """Make the edits. Errors: T302 where Lava is not the text that they were made for."""
    for name, (old, new) in EDITS.items():
        path = next(folder().glob(f"lib/python*/site-packages/{name}"), None)
        text = path.read_text() if path else ""
        if path is None or old not in text:
            notes = [f"{name} does not hold {old!r}"]
            raise error("T302", "Lava's Python cannot be made", notes=notes, hint=f"is this {LAVA}?")
        path.write_text(text.replace(old, new))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; the system lets go of it when its holder ends, in whatever way. Errors: T302."""
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as reason:
        notes = [f"{path.parent} cannot be written", str(reason)]
        raise error(
            "T302", "Lava's Python cannot be made", notes=notes, hint="name another folder in THERMOC_CACHE"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
