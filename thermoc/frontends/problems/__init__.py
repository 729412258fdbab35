"""Problems of optimisation: files in, an Ising model and the way back out."""
