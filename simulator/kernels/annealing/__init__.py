"""Long chains of coupled spins: heat-bath sweeps that look at 64 spins at once and pay for those that flip."""
