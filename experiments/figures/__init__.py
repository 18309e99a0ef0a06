"""Figures of a result as tables for README and docs."""
