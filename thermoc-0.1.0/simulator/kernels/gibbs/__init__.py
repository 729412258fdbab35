"""Heat-bath updates of coupled binary units (P6, P12), a kernel for each layout of the units."""
