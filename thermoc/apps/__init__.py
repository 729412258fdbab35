"""Applications: problems that are solved, memories, machines that generate, policies, experiments."""
