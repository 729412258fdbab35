"""Device models: memristors that heat, thermal and capacitor cells, p-bits; their data, their simulation."""

from thermoc.simulator.devices.characteristics import currents
from thermoc.simulator.devices.device import Device, expected, load, names, starting, values
from thermoc.simulator.devices.model import DeviceModel
from thermoc.simulator.devices.simulate import METHODS, DeviceTrace, simulate

__all__ = [
    "METHODS",
    "Device",
    "DeviceModel",
    "DeviceTrace",
    "currents",
    "expected",
    "load",
    "names",
    "simulate",
    "starting",
    "values",
]
