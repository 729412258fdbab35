"""Source, lowered graph and target against each other: lowering and emission error, told apart and held to bounds."""

from thermoc.verification.result import Breach, Row, Verification
from thermoc.verification.verify import verify

__all__ = ["Breach", "Row", "Verification", "verify"]
