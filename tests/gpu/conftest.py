"""A GPU, which these tests fail without, and the kernels of what is tested, compiled before."""

from __future__ import annotations

import pytest
from gpu.variants import Variant, prepare_all

from thermoc.simulator.cuda import gpu as this_gpu
from thermoc.simulator.cuda.driver import CudaDevice


@pytest.fixture(scope="session", autouse=True)
def gpu(request: pytest.FixtureRequest) -> CudaDevice:
    """The GPU. Errors: T421 where there is none."""
    found = this_gpu.device()
    if not isinstance(found, CudaDevice):
        pytest.fail("this is numba-cuda's simulator: unset NUMBA_ENABLE_CUDASIM")
    asked = [item.callspec.params.get("variant") for item in request.session.items if hasattr(item, "callspec")]
    prepare_all(list(dict.fromkeys(one for one in asked if isinstance(one, Variant))), found.capability)
    return found
