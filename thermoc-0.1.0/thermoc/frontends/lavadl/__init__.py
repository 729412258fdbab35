"""lava-dl's ``.net``: networks trained by SLAYER, as the integers that Loihi 2 runs."""
