"""exp on the negative axis by one rational function of seven pole pairs, and the functions a step needs from it.

r(z) = sum c_k/(z - z_k) is within 1.0e-13 of e^z for all z <= 0, so a step of any length costs the same seven complex
solves. phi_1(z) = (e^z - 1)/z takes weights c_k/z_k, phi_2(z) = (phi_1(z) - 1)/z weights c_k/z_k^2; the weights are
scaled by 2e-12 to make phi_1(0) = 1 exactly, so that z phi_2 = phi_1 - 1 holds and a ledger closes.

Poles and residues: Caratheodory-Fejer approximation of type (14, 14), Trefethen, Weideman and Schmelzer, BIT 46:653
(2006), one of each conjugate pair, the constant term 1e-14 dropped.
"""

from __future__ import annotations

import numpy as np

POLES = np.array(
    [
        5.62317153475742 + 1.1940664287021552j,
        5.089374564875054 + 3.588816095602845j,
        3.993400429650635 + 6.004818060139016j,
        2.2698165258521406 + 8.461717806877203j,
        -0.20872377764902525 + 10.991232026333313j,
        -3.703239160176677 + 13.656333463712498j,
        -8.897735413180298 + 16.63093520842446j,
    ]
)
RESIDUES = np.array(
    [
        -27.876162291177156 - 102.15000629291019j,
        46.93490458700584 + 45.644543838980354j,
        -23.49897941909133 - 5.808219208333141j,
        4.807233308906512 - 1.3211122031487392j,
        -0.37636336734574083 + 0.33520468313104734j,
        0.009438720567093254 - 0.017185736312372236j,
        -7.153878179758697e-05 + 0.00014361901788104045j,
    ]
)
# the pairs' conjugates count too: twice the real part
_SCALE = 1 / (-2 * (RESIDUES / POLES**2).sum().real)
PHI1 = _SCALE * RESIDUES / POLES
PHI2 = PHI1 / POLES
