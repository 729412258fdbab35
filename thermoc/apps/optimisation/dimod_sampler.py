"""The samplers of thermoc as a sampler of dimod, for whoever writes problems with Ocean's tools."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.apps.optimisation.minimise import DEVICES, METHODS, minimise
from thermoc.frontends.problems.bqm import ising_model
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.support.suggestions import near

dimod = need("dimod", "dimod", "samplers of dimod")


class ThermocSampler(dimod.Sampler):
    """States of low energy of binary quadratic models, by ``thermoc.apps.optimisation.minimise``.

    dimod's signs: E = offset + sum h_i s_i + sum J_ij s_i s_j. The same seed gives the same samples. Errors: T302
    where dimod is not installed.
    """

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keywords of ``sample``, with the property that says more of each."""
        names = ("num_reads", "num_sweeps", "seed", "seconds", "target_energy", "threads")
        choices = {"method": ["methods"], "device": ["devices"]}
        return {**choices, **{name: [] for name in names}}

    @property
    def properties(self) -> dict[str, Any]:
        """What can be asked for: the methods, the devices."""
        return {"methods": ["auto", "enumeration", *METHODS], "devices": list(DEVICES)}

    def sample(self, bqm: Any, **parameters: Any) -> Any:
        """Return a ``dimod.SampleSet``, the lowest energy first.

        num_reads: replicas. num_sweeps: updates of each variable. Others: as ``minimise`` has them. Errors: T403,
        T404, T421.
        """
        unknown = sorted(set(parameters) - set(self.parameters))
        if unknown:
            notes, hint = [f"there are {', '.join(self.parameters)}"], near(unknown[0], self.parameters)
            raise error("T404", f"there is no parameter {unknown[0]!r}", notes=notes, hint=hint)
        if not bqm.num_variables:
            return dimod.SampleSet.from_samples_bqm(np.zeros((parameters.get("num_reads") or 1, 0), np.int8), bqm)
        renamed = {"num_reads": "replicas", "num_sweeps": "sweeps"}
        options = {renamed.get(name, name): value for name, value in parameters.items() if value is not None}
        model, labels = ising_model(bqm)
        result = minimise(model, **options)
        values = result.spins if bqm.vartype is dimod.SPIN else (result.spins > 0).astype(np.int8)
        info = {"method": result.method, "seed": result.seed, "sweeps": result.sweeps, "seconds": result.seconds}
        info |= {"proven": result.proven, "device": result.device}
        return dimod.SampleSet.from_samples_bqm((values, labels), bqm, info=info)
