"""Multi-party sums as the product makes them, and as MPyC makes them alone."""
