"""An oracle: a chip's die as finite volumes, one a core and layer, written from the layers' numbers alone.

Core c lies in tile c // (cores a tile), tiles row by row, and its cores row by row within it. Heat flows between the
middles of neighbouring volumes, and from the lowest into a heat sink of one temperature and through it to the air.
"""

import numpy as np
from scipy import linalg

SHEETS = (
    ("die", "die.active"),
    ("die", "die.thickness"),
    ("bond", "bond.thickness"),
    ("spreader", "spreader.thickness"),
)


class FiniteVolumes:
    """Conductances (n, n) and capacities (n,) of a chip's volumes, layer by layer, row by row; the sink is the last."""

    def __init__(self, chip, wide, high):
        """Take a chip whose tiles have wide x high cores."""
        self.chip = chip
        tiles = np.arange(chip.cores) // (wide * high)
        inner, across = np.arange(chip.cores) % (wide * high), round(chip["mesh.columns"])
        self.column, self.row = tiles % across * wide + inner % wide, tiles // across * high + inner // wide
        self.columns, self.rows = across * wide, round(chip["mesh.rows"]) * high
        self.dx, self.dy = chip["mesh.tile_width"] / wide, chip["mesh.tile_height"] / high
        n = self.columns * self.rows
        self.core = self.row * self.columns + self.column  # of the uppermost layer
        self.K, self.C = np.zeros((4 * n + 1, 4 * n + 1)), np.zeros(4 * n + 1)
        for layer, (name, thickness) in enumerate(SHEETS):
            self.sheet(layer * n, chip[f"{name}.conductivity"], chip[f"{name}.heat_capacity"], chip[thickness])
        for layer in range(4):
            self.below(layer * n, n, layer == 3)
        self.C[-1] = chip["package.capacity"]
        self.K[-1, -1] += 1 / chip["package.resistance"]

    def sheet(self, first, k, c, t):
        """Join the volumes of one layer to their neighbours in the plane."""
        self.C[first : first + self.rows * self.columns] = c * t * self.dx * self.dy
        for j in range(self.rows):
            for i in range(self.columns):
                here = first + j * self.columns + i
                if i + 1 < self.columns:
                    self.join(here, here + 1, k * t * self.dy / self.dx)
                if j + 1 < self.rows:
                    self.join(here, here + self.columns, k * t * self.dx / self.dy)

    def below(self, first, n, last):
        """Join the volumes of one layer to those below, or to the sink."""
        half = [self.chip[thickness] / 2 / self.chip[f"{name}.conductivity"] for name, thickness in SHEETS]
        layer, area = first // n, self.dx * self.dy
        for here in range(first, first + n):
            if last:
                self.join(here, 4 * n, area / half[layer])
            else:
                self.join(here, here + n, area / (half[layer] + half[layer + 1]))

    def join(self, a, b, g):
        self.K[a, a] += g
        self.K[b, b] += g
        self.K[a, b] -= g
        self.K[b, a] -= g

    def spread(self, watts):
        """Return the power of every volume for watts of cores."""
        whole = np.zeros(len(self.C))
        whole[self.core] = watts
        return whole

    def rise(self, watts):
        """Return the steady rises of cores, K."""
        return np.linalg.solve(self.K, self.spread(watts))[self.core]

    def courses(self, watts, slot):
        """Return the rises of cores at the start and after each slot of constant watts (slots, cores), from cold."""
        A = -self.K / self.C[:, None]
        step, now, found = linalg.expm(A * slot), np.zeros(len(self.C)), [np.zeros(len(self.core))]
        for given in watts:
            rest = np.linalg.solve(self.K, self.spread(given))
            now = rest + step @ (now - rest)
            found.append(now[self.core])
        return np.array(found)
