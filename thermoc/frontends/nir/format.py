"""NIR in ``thermoc formats``."""

from thermoc.frontends.format import Format

FORMAT = Format(
    name="nir",
    title="NIR 1.0, the graphs of Norse, snnTorch, sinabs, SpikingJelly, Rockpool, Nengo",
    suffixes=(".nir",),
    reader="thermoc.frontends.nir.read:read_nir",
    writer="thermoc.frontends.nir.write:write_nir",
    reads="every node of NIR 1.0, graphs in graphs, recurrence, files of older versions",
    writes="linear maps, convolutions, pools, delays and NIR's own units",
    repairs="edges that stand twice or lead nowhere, missing ends, shapes, types and fields of older versions",
    refuses="unknown nodes, delays that are no whole number of ticks, HDF5 links out of the file",
    needs="nir, for writing",
)
