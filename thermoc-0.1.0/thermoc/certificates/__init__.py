"""Certificates: the laws of physics checked on what was run (P45 to P49)."""

from thermoc.certificates.certificate import Certificate, certify
from thermoc.certificates.law import Law
from thermoc.certificates.recheck import recheck

__all__ = ["Certificate", "Law", "certify", "recheck"]
