"""Planted faults: what a wrong pipeline would have written, and who notices it. `python -m tests.mutation OUT`."""
