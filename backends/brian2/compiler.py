"""Is there a C++ compiler?"""

from __future__ import annotations

import os
import shutil


def compiler() -> str | None:
    """Return the path of a C++ compiler, or None."""
    configured = os.environ.get("CXX", "").split()
    return next((path for name in (*configured[:1], "g++", "c++", "clang++") if (path := shutil.which(name))), None)
