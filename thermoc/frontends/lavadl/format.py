"""lava-dl's networks in ``thermoc formats``."""

from thermoc.frontends.format import Format

FORMAT = Format(
    name="lavadl",
    title="lava-dl's networks trained by SLAYER",
    suffixes=(".net",),
    reader="thermoc.frontends.lavadl.read:read_net",
    reads="dense, recurrent, convolution, pool, flatten and input layers of CUBA, LOIHI and SDNN units, to the integer",
    repairs="odd 8-bit weights are doubled and shifted back; delays that are sent act on what comes in",
    refuses="resonate-and-fire, transposed convolutions, unpooling, refractory delays, unequal decays",
)
