"""Brian2 in ``thermoc formats``."""

from thermoc.frontends.format import Format

FORMAT = Format(
    name="brian2",
    title='Brian2\'s networks: script.py with format="brian2", which executes it; in Python tc.from_brian2(network)',
    reader="thermoc.frontends.brian2.read:read_brian2",
    reads="groups of neurons, synapses with delays and summed variables, spike sources, TimedArray, run_regularly",
    writes='tc.compile(net, "brian2").save(path)',
    repairs="a script is executed up to its first run, whose duration is taken; set_device is passed over",
    refuses="networks that have run, network_operation, functions of Python, SpatialNeuron, by the object's name",
    needs="brian2",
)
