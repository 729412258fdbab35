"""Certificates: the laws of physics checked on what was run (P45 to P49)."""

from thermoc.certificates.certificate import Certificate, certify, recheck
from thermoc.certificates.law import Law

__all__ = ["Certificate", "Law", "certify", "recheck"]
