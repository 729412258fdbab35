"""Certificates: the laws of physics checked on what was run (P45 to P49), and on samples of any machine."""

from thermoc.certificates.certificate import Certificate, certify
from thermoc.certificates.effective_temperature import effective_temperatures
from thermoc.certificates.law import Law
from thermoc.certificates.recheck import recheck
from thermoc.certificates.samples import SamplesCertificate, certify_samples

__all__ = [
    "Certificate",
    "Law",
    "SamplesCertificate",
    "certify",
    "certify_samples",
    "effective_temperatures",
    "recheck",
]
