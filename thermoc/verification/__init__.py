"""Source, lowered graph and target against each other: lowering and emission error, told apart and held to bounds."""

from thermoc.verification.comparison import Breach, Comparison
from thermoc.verification.result import Verification
from thermoc.verification.verify import verify

__all__ = ["Breach", "Comparison", "Verification", "verify"]
