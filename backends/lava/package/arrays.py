"""The arrays of a run: inputs checked against the network before anything starts, outputs written whole."""

import sys
import zipfile

import numpy as np


def arranged(manifest, options):
    """Return the inputs, (ticks, samples, *shape) or (samples, *shape), and the numbers of ticks and samples.

    They are what the inputs say, else 1. The run ends where names, shapes, ticks or samples disagree.
    """
    shapes = {named_input(manifest, name, options.numbers): tuple(s) for name, s in manifest["inputs"].items()}
    arrays = loaded(options.inputs)
    if arrays.keys() != shapes.keys():
        sys.exit(f"the inputs are {', '.join(map(str, shapes)) or 'none'}; given are {', '.join(arrays) or 'none'}")
    messages = {
        "ticks": {} if options.ticks is None else {"--ticks": options.ticks},
        "samples": {} if options.samples is None else {"--samples": options.samples},
    }
    for name, shape in shapes.items():
        leading = arrays[name].shape[: max(arrays[name].ndim - len(shape), 0)]
        if len(leading) > 2 or (arrays[name].ndim and arrays[name].shape[len(leading) :] != shape):
            expected = f"(ticks, samples, *{shape}), (samples, *{shape}) or {shape}"
            sys.exit(f"input {name} has the shape {arrays[name].shape}, not {expected}")
        if arrays[name].dtype.kind not in "biuf" or not np.isfinite(arrays[name]).all():
            sys.exit(f"input {name} is not made of finite numbers")
        messages["ticks"].update({name: leading[0]} if len(leading) == 2 else {})
        messages["samples"].update({name: leading[-1]} if leading else {})
    for what, numbers in messages.items():
        if len(set(numbers.values())) > 1 or 0 in numbers.values():
            who = ", ".join(f"{name} {number}" for name, number in numbers.items())
            sys.exit(f"the number of {what} is one for all, and at least 1: {who}")
    ticks, samples = (next(iter(numbers.values()), 1) for numbers in messages.values())
    for name, shape in shapes.items():
        if arrays[name].ndim < len(shape) + 1:
            arrays[name] = np.broadcast_to(arrays[name], (samples, *shape))
    return arrays, ticks, samples


def named_input(manifest, name, numbers):
    """Return what an input of the chip is called: with --numbers, as the network's input that it is made of."""
    border = manifest["borders"]["encode"].get(name) if numbers else None
    if border and not border["input"]:
        sys.exit(f"{name} is made of other ops on the host: give the chip's integers instead")
    return border["input"] if border else name


def loaded(path):
    """Return the arrays of an .npz; end where it cannot be read."""
    if not path:
        return {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile) as reason:
        sys.exit(f"{path} is no .npz of arrays: {reason}")


def save(path, arrays):
    """Write an .npz, whole or not at all; any name will do."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, np.asarray(array, order="C"), allow_pickle=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
