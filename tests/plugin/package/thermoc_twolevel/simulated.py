"""How the ops become rows of a program."""

from __future__ import annotations

from thermoc.backends.sim.rows.table import each
from thermoc_twolevel.instructions import FREE_ENERGY
from thermoc_twolevel.ops import FreeEnergy

WRITERS = {FreeEnergy: each(FREE_ENERGY)}
