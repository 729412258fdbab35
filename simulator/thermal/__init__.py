"""Heat in a layered die and its package: exact steps, steady states, ledgers, floorplans."""
