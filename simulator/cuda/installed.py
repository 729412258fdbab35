"""What programs on a GPU need of the machine: NVIDIA's driver, its bindings, numba-cuda, the toolkit's compiler."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from thermoc.support.errors import ThermocError, error

LIBRARIES = ("nvvm", "nvrtc")
"""Of the toolkit: what compiles kernels."""
OLDER_DRIVER = 'pip install "thermoc[cuda12]"'
PACKAGES = f'pip install "thermoc[cuda13]"; with a driver older than 580: {OLDER_DRIVER}'
DRIVER = "install NVIDIA's driver (nvidia.com/drivers); a container must be started with the GPU: docker run --gpus all"


def driver_bindings() -> Any:
    """Return ``cuda.bindings.driver`` at work. Errors: T421 for the first thing that is missing."""
    try:
        driver = import_module("cuda.bindings.driver")
        import_module("numba_cuda")
        import_module("numba.cuda")
    except (ImportError, AttributeError) as reason:  # the latter of a NumPy that is newer than numba-cuda knows
        raise missing("numba-cuda is not installed, or does not load", str(reason), hint=PACKAGES) from reason
    try:
        (code,) = driver.cuInit(0)
    except RuntimeError as reason:  # the bindings load the driver's library at the first call
        raise missing("NVIDIA's driver is not installed", str(reason), hint=DRIVER) from reason
    if code != driver.CUresult.CUDA_SUCCESS:
        hint = f"nvidia-smi lists what the driver sees; CUDA_VISIBLE_DEVICES may hide it; or {DRIVER}"
        raise missing("the driver finds no GPU that it can use", code_text(driver, code), hint=hint)
    return driver


def check_toolkit() -> None:
    """Refuse where kernels cannot be compiled. Errors: T421."""
    load = import_module("cuda.pathfinder").load_nvidia_dynamic_lib
    for library in LIBRARIES:
        try:
            load(library)
        except RuntimeError as reason:
            raise missing(f"the CUDA toolkit's {library} is not installed", str(reason), hint=PACKAGES) from reason


def missing(what: str, note: str, *, hint: str) -> ThermocError:
    """Return the error of something that is not there."""
    return error("T421", f"no program can run on a GPU: {what}", notes=note.strip().splitlines()[:1], hint=hint)


def code_text(driver: Any, code: Any) -> str:
    """Return the name of a driver's error and what the driver says of it."""
    status, text = driver.cuGetErrorString(code)
    loaded = status == driver.CUresult.CUDA_SUCCESS and text
    return f"{getattr(code, 'name', code)}: {text.decode() if loaded else 'unknown'}"
