"""A reader of HDF5 that trusts nothing: pure Python over bytes, every place and size checked before it is used.

It reads what NIR and lava-dl write: numbers and texts in groups, contiguous, compact or chunked, plain or deflated.
Everything that leads out of the file, runs foreign code or hides a size is refused (``file.read_hdf5``).
"""
