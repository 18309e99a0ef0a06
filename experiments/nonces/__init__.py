"""Spending nonces in every place where the product can do it, to be measured."""
