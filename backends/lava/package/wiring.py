"""How the parts of the network become processes.

Every port that is passed around is a vector: sample by sample, unit by unit.

Samples of a batch are copies of the network beside each other: synapses become block-diagonal, units longer vectors.
"""

from dataclasses import dataclass

import numpy as np
from lava.magma.compiler.compiler_graphs import find_processes
from lava.proc.conv.process import Conv
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.lif.process import LIF
from lava.proc.sdn.process import ActivationMode, Delta, Sigma, SigmaDelta
from lava.proc.sparse.process import Sparse
from lava.utils.weightutils import SignMode
from scipy.sparse import block_diag, csr_matrix

SIGNS = {"mixed": SignMode.MIXED, "excitatory": SignMode.EXCITATORY, "inhibitory": SignMode.INHIBITORY}


@dataclass
class Part:
    """A process with its ports as vectors: ``into`` takes an out-port, ``out`` is one."""

    process: object
    port: object
    out: object
    shape: tuple = ()
    order: tuple = ()

    def into(self, source):
        """Connect a vector to this part."""
        if self.shape:
            source = source.reshape(self.shape).transpose(self.order)
        source.connect(self.port)


def named(process, name):
    """Tell a process's model what it is called."""
    process.proc_params.overwrite("name", name)
    return process


def repeated(job, values, units):
    """Return a parameter of ``units`` units, or of one for all, for every sample."""
    values = np.broadcast_to(np.asarray(values).reshape(-1), (units,))
    return np.tile(values, job["batch"])


def rows(values, columns, offsets, inputs):
    """Return the sparse matrix whose row i holds entries offsets[i] to offsets[i + 1]."""
    return csr_matrix((values, columns, offsets), shape=(len(offsets) - 1, inputs))


def copies(job, W):
    """Return a matrix once for each sample, along the diagonal; entries that are 0 stay away."""
    W = csr_matrix(W) if job["batch"] == 1 else block_diag([csr_matrix(W)] * job["batch"], format="csr")
    W.eliminate_zeros()
    return csr_matrix((W.data.astype(np.int32), W.indices, W.indptr), W.shape)


def dense(job, W, *, delays=None, weight_exp, weight_bits, sign_mode, message_bits, longest, name):
    """Return Lava's Dense, or Sparse for several samples."""
    W, stock = np.asarray(W, np.int32), job["precision"] == "fixed"
    if not stock or job["batch"] > 1 or not W.any():
        return sparse(
            job,
            csr_matrix(W),
            delays=None if delays is None else np.asarray(delays),
            weight_exp=weight_exp,
            weight_bits=weight_bits,
            sign_mode=sign_mode,
            message_bits=message_bits,
            longest=longest,
            name=name,
        )
    how = {"weight_exp": weight_exp, "num_weight_bits": weight_bits, "sign_mode": SIGNS[sign_mode]}
    how["num_message_bits"] = message_bits
    if delays is None and not longest:
        process = Dense(weights=W, **how)
    else:
        delays = np.zeros(W.shape, int) if delays is None else np.asarray(delays, int)
        process = DelayDense(weights=W, delays=delays, max_delay=longest, **how)
    return Part(named(process, name), process.s_in, process.a_out)


def sparse(job, W, *, delays=None, weight_exp, weight_bits, sign_mode, message_bits, longest, name):
    """Return Lava's Sparse, where there are no delays; ours otherwise, and for numbers."""
    if job["precision"] == "fixed" and delays is None and not longest and W.nnz:
        W = copies(job, W)
        how = {"weight_exp": weight_exp, "num_weight_bits": weight_bits, "sign_mode": SIGNS[sign_mode]}
        process = Sparse(weights=W, num_message_bits=message_bits, **how)
        return Part(named(process, name), process.s_in, process.a_out)
    return synapse(job, by_delay(W, delays, longest), weight_exp, message_bits, False, name)


def by_delay(W, delays, longest):
    """Return the entries of each delay, as sparse matrices of the same shape; delays: entry by entry, or a matrix."""
    W = csr_matrix(W)
    if delays is None:
        return [W] + [csr_matrix(W.shape, dtype=W.dtype)] * longest
    row = np.repeat(np.arange(W.shape[0]), np.diff(W.indptr))
    ticks = delays[row, W.indices] if delays.ndim == 2 else delays
    masks = [ticks == k for k in range(longest + 1)]
    return [csr_matrix((W.data[m], (row[m], W.indices[m])), W.shape) for m in masks]


def synapse(job, weights, weight_exp, message_bits, wraps, name):
    """Return our own synapses."""
    from procs.synapse.process import Synapse

    weights = [copies(job, W) for W in weights]
    process = Synapse(weights=weights, weight_exp=weight_exp, binary=not message_bits, wraps=wraps, name=name)
    return Part(named(process, name), process.s_in, process.a_out)


def conv(job, W, *, shape, stride, padding, dilation, groups, weight_exp, message_bits, stock, name):
    """Return Lava's Conv, a sample a group of channels; ours where it is not stock.

    W: (out, in / groups, height, width); shape: (in, height, width). Lava's Conv turns its kernel
    round, and takes no exponent: weights carry it. It counts groups in 8 bits.
    """
    W, batch = np.asarray(W, np.int32), job["batch"]
    if not stock or job["precision"] == "float" or groups * batch > 127:
        return synapse(
            job, [unrolled(W, shape, stride, padding, dilation, groups)], weight_exp, message_bits, True, name
        )
    channels, height, width = shape
    kernel = np.tile(W.transpose(0, 2, 3, 1)[:, ::-1, ::-1] << weight_exp, (batch, 1, 1, 1))
    process = Conv(
        weight=kernel,
        input_shape=(height, width, batch * channels),
        padding=tuple(before for before, _ in padding),
        stride=tuple(stride),
        dilation=tuple(dilation),
        groups=groups * batch,
        num_message_bits=message_bits,
    )
    out = process.a_out.transpose((2, 0, 1)).flatten()
    return Part(named(process, name), process.s_in, out, (batch * channels, height, width), (1, 2, 0))


def unrolled(W, shape, stride, padding, dilation, groups):
    """Return a convolution as a sparse matrix from (in, height, width) to (out, height, width)."""
    channels, *space = shape
    places = np.pad(np.arange(channels * space[0] * space[1]).reshape(shape), ((0, 0), *padding), constant_values=-1)
    spans = [spread * (size - 1) + 1 for spread, size in zip(dilation, W.shape[2:])]
    views = np.lib.stride_tricks.sliding_window_view(places, spans, axis=(1, 2))
    views = views[:, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    per_in, per_out, windows = channels // groups, len(W) // groups, views.shape[1] * views.shape[2]
    row, column, value = [], [], []
    for out in range(len(W)):
        first = out // per_out * per_in
        patches = views[first : first + per_in].reshape(per_in, windows, -1).transpose(1, 0, 2).reshape(windows, -1)
        weights = np.broadcast_to(W[out].reshape(-1), patches.shape)
        inside = patches >= 0
        row.append(np.broadcast_to(out * windows + np.arange(windows)[:, None], patches.shape)[inside])
        column.append(patches[inside])
        value.append(weights[inside])
    row, column, value = (np.concatenate(array) for array in (row, column, value))
    return csr_matrix((value, (row, column)), (len(W) * windows, places.max() + 1))


def lif(job, units, *, u, v, bias_mant, bias_exp, du, dv, vth, compare, reset, lag, stock, name):
    """Return Lava's LIF, or ours in full."""
    u, v, bias = (repeated(job, values, units) for values in (u, v, bias_mant))
    shape = (units * job["batch"],)
    if stock and job["precision"] == "fixed":
        process = LIF(shape=shape, u=u, v=v, du=du, dv=dv, vth=vth, bias_mant=bias, bias_exp=bias_exp)
        return named(process, name)
    from procs.lif.process import Lif

    rule = {
        "at_least": compare == "greater_equal",
        "subtract": reset == "subtract",
        "lag": lag,
        "job": job,
        "name": name,
    }
    return Lif(shape=shape, u=u, v=v, bias=bias << bias_exp, du=du, dv=dv, vth=vth, **rule)


@dataclass
class Unit:
    """A process whose messages are scaled on their way out."""

    a_in: object
    s_out: object


def scaled(job, process, units, scale, name):
    """Return a unit whose messages are a process's times ``scale``: Lava's models of numbers leave exponents out."""
    named(process, name)
    return (
        process
        if scale == 1
        else Unit(process.a_in, route(job, process.s_out, np.arange(units), units, f"{name}_scale", scale))
    )


def delta(job, units, *, vth, spike_exp, state_exp, cum_error, name):
    """Return Lava's Delta."""
    shape = (units * job["batch"],)
    if job["precision"] == "float":
        return scaled(job, Delta(shape=shape, vth=vth, cum_error=cum_error), units, 2.0**spike_exp, name)
    rule = {"vth": vth, "spike_exp": spike_exp, "state_exp": state_exp, "cum_error": cum_error}
    return named(Delta(shape=shape, **rule), name)


def sigma(job, units, *, name):
    """Return Lava's Sigma."""
    return named(Sigma(shape=(units * job["batch"],)), name)


def sigma_delta(job, units, *, bias, activation, name, **rule):
    """Return Lava's SigmaDelta."""
    mode = {"unit": ActivationMode.UNIT, "relu": ActivationMode.RELU}[activation]
    shape = (units * job["batch"],)
    process = SigmaDelta(shape=shape, bias=repeated(job, bias, units), act_mode=mode, **rule)
    return scaled(job, process, units, 2.0 ** -rule["state_exp"] if job["precision"] == "float" else 1, name)


def route(job, source, index, units, name, scale=1):
    """Return a vector whose element i of each sample is element index[i] of the source's sample, 0 where that is -1."""
    from procs.route.process import Route

    index = np.asarray(index).reshape(-1)
    indices = np.concatenate([np.where(index < 0, -1, index + sample * units) for sample in range(job["batch"])])
    process = Route(shape=(units * job["batch"],), index=indices, scale=scale, name=name)
    source.connect(process.a_in)
    return process.s_out


def observed(job, outputs):
    """Return a process that ties all others into one network, for Lava runs what hangs together.

    outputs: (name of the sink, units, ports that add up to it) by name. Those that have a file get a sink; another one
    only where nothing else ties its part of the network, which must run too.
    """
    from procs.hub.process import Hub
    from procs.sink.process import Sink

    hub = Hub(name="hub")
    # Those with a file first: they tie most of the others' parts.
    for output, (name, units, ports) in sorted(outputs.items(), key=lambda item: f"out.{item[0]}" not in job["files"]):
        file = job["files"].get(f"out.{output}")
        if file is None and ports[0].get_src_ports(True)[0].process in find_processes(hub):
            continue
        sink = Sink(shape=(units * job["batch"],), file=file, name=name)
        hub.out.connect(sink.tie)
        for port in ports:
            port.connect(sink.a_in)
    return hub
