"""PyTorch in ``thermoc formats``."""

from thermoc.frontends.format import Format

FORMAT = Format(
    name="torch",
    title="PyTorch modules in Python, by tc.from_torch(module, example)",
    options_from="thermoc.frontends.torch.read:from_module",
    reads="feed-forward, convolutional, recurrent and attention modules by torch.export; snnTorch's and Norse's by NIR",
    writes="tc.learning.to_torch(net)",
    repairs="modules in training mode are read as in evaluation; units of snnTorch and Norse keep their resets",
    refuses="control flow that depends on data, written buffers, random numbers, other operators, by their place",
    needs="learn",
)
