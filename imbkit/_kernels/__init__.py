"""Loops compiled with numba over plain arrays; imported only where the input is large."""
