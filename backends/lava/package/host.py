"""What the host computes between two parts of the chip: ops without state, by NumPy, samples first."""

import numpy as np

ELEMENTWISE = {
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "floor": np.floor,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "select": np.where,
}


def aligned(*arrays):
    """Return arrays (samples, ...) with axes put in after the samples, so that their elements broadcast."""
    rank = max(array.ndim for array in arrays)
    return [array.reshape(array.shape[0], *(1,) * (rank - array.ndim), *array.shape[1:]) for array in arrays]


def reduced(x, kind, axes):
    """Return a sum, mean, largest or smallest over axes, or where it stands."""
    if kind.startswith("arg"):
        return getattr(np, kind)(x, axis=axes[0] + 1)
    return getattr(np, kind)(x, axis=tuple(axis + 1 for axis in axes))


def spread(x, shape):
    """Return x repeated to a shape."""
    raised = x.reshape(x.shape[0], *(1,) * (len(shape) + 1 - x.ndim), *x.shape[1:])
    return np.broadcast_to(raised, (x.shape[0], *shape))


def joined(arrays, axis):
    """Return arrays one after the other."""
    samples = max(array.shape[0] for array in arrays)
    arrays = [np.broadcast_to(array, (samples, *array.shape[1:])) for array in arrays]
    return np.concatenate(arrays, axis=axis + 1 if axis >= 0 else axis)


def cut(x, starts, stops, steps):
    """Return a part of x."""
    return x[(slice(None), *(slice(*bounds) for bounds in zip(starts, stops, steps)))]


OTHERS = {
    "cast": lambda a, x: x.astype(a["dtype"]),
    "reshape": lambda a, x: x.reshape(x.shape[0], *a["shape"]),
    "flatten": lambda a, x: x.reshape(x.shape[0], -1),
    "transpose": lambda a, x: x.transpose(0, *(axis + 1 for axis in a["axes"])),
    "broadcast": lambda a, x: spread(x, a["shape"]),
    "concat": lambda a, *xs: joined(xs, a["axis"]),
    "slice": lambda a, x: cut(x, a["starts"], a["stops"], a["steps"]),
    "reduce": lambda a, x: reduced(x, a["kind"], a["axes"]),
    "matmul": lambda a, x, y: np.matmul(x, y),
}


def computed(steps, known, tick):
    """Return the values of all steps by name: {op, attrs, inputs, result} each; known: what they are given."""
    known = dict(known, tick=np.array([tick]))
    with np.errstate(all="ignore"):
        for step in steps:
            name, operands = step["op"], [known[value] for value in step["inputs"]]
            if name in ELEMENTWISE:
                known[step["result"]] = ELEMENTWISE[name](*aligned(*operands))
            else:
                known[step["result"]] = OTHERS[name](step["attrs"], *operands)
    return known
