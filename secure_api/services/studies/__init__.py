"""Studies: their life cycle, and one module a method."""
