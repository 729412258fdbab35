"""The device models: each a file here that declares ``MODEL``, beside its data file of the same name.

They are found by their files, so that a new model is these two and nothing else. A model's number, by which the kernels
know it, is its place among the names in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from thermoc.simulator.devices.model import DeviceModel
from thermoc.support.announced import DEVICES, loaded, refuse

FOLDER = Path(__file__).parent
_FOREIGN: dict[str, Path] = {}
"""Data files of other packages' models."""


def data_file(name: str) -> Path:
    """Return the data file of a model."""
    return _FOREIGN.get(name, FOLDER / f"{name}.toml")


def _announced(ours: Mapping[str, DeviceModel]) -> Iterator[tuple[str, DeviceModel]]:
    """Yield the models of other packages (docs/plugins.md): a module that declares ``MODEL``, beside NAME.toml."""
    for point, module in loaded(DEVICES):
        model, data = getattr(module, "MODEL", None), Path(str(module.__file__)).with_name(f"{point.name}.toml")
        if point.name in ours or not point.name.isidentifier():
            refuse(point, "the name is taken, or no name")
        elif not isinstance(model, DeviceModel) or not data.exists():
            refuse(point, f"it needs MODEL = DeviceModel(...) and {data.name} beside it")
        else:
            _FOREIGN[point.name] = data
            yield point.name, model


def _declared() -> dict[str, DeviceModel]:
    """Import every model. Errors: LookupError that names the file which a model or a data file lacks."""
    modules = sorted(module.name for module in iter_modules(__path__))
    # a data file without a model would be passed over in silence, and its device be unknown without a reason
    for path in FOLDER.glob("*.toml"):
        if path.stem not in modules:
            raise LookupError(f"{path.name} has no model: {path.stem}.py, which declares MODEL, is missing beside it")
    models = {name: getattr(import_module(f"{__name__}.{name}"), "MODEL", None) for name in modules}
    for name, model in models.items():
        if not isinstance(model, DeviceModel):
            raise LookupError(f"{name}.py declares no MODEL = DeviceModel(...)")
        if not data_file(name).exists():
            raise LookupError(f"{name}.py has no data: {name}.toml is missing beside it")
    ours = {name: model for name, model in models.items() if model is not None}
    # behind ours, whose numbers stay what they are
    return ours | dict(_announced(ours))


MODELS = _declared()
NUMBERS = {name: number for number, name in enumerate(MODELS)}
