"""The algorithms that the suites measure: signature schemes and key encapsulations, of every library in one form."""
