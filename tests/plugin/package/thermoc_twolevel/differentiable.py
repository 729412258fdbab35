"""The ops in torch's own words: the reference's |x| has no slope at 0."""

from __future__ import annotations

import torch

from thermoc.ir.reference.meaning import Pure, aligned
from thermoc_twolevel.ops import FreeEnergy


def free_energy(op, ctx, x, T):
    """T softplus(x / T)."""
    x, T = aligned(x, T)
    return T * torch.nn.functional.softplus(x / T)


FORMS = {FreeEnergy: Pure(step=free_energy)}
