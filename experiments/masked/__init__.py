"""Masked sums as the product makes them, masks as Flower makes them, and sums of what is not masked."""
