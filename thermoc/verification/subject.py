"""What is verified: a network compiled for one target, in one setting, with the runs that judgements compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from thermoc.api import Executable
from thermoc.backends.base import Outcome
from thermoc.ir.reference.interpreter import ReferenceTrace
from thermoc.verification.inexact_passes import InexactPass, inexact_passes
from thermoc.verification.run_settings import RunSettings
from thermoc.verification.tolerances import Jittered


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network on one target, in one setting, with the reference's run of the source."""

    target: str
    exe: Executable
    setting: RunSettings
    source: ReferenceTrace
    absolute_tolerance: float | None = None

    @cached_property
    def lowered(self) -> ReferenceTrace:
        """The reference's run of the lowered graph."""
        return self.setting.reference(self.exe.graph)

    @cached_property
    def outcome(self) -> Outcome:
        """The target's run. Errors: T302 where its runtime is missing."""
        return self.setting.target(self.exe.backend, self.exe.artefact, self.exe.graph)

    @cached_property
    def inexact(self) -> tuple[InexactPass, ...]:
        """The passes that are not exact, their units judged by themselves."""
        return inexact_passes(self.exe, self.setting)

    @cached_property
    def jittered(self) -> Jittered:
        """The lowered graph some roundings off."""
        return Jittered(self.setting, self.exe.graph, given=False)
