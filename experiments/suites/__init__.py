"""The experiments: one file each, found by `experiments.registry`."""
