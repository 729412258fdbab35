"""Data files of devices and chips: quantities with units, sources and ranges."""
