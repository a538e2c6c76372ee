"""The training loop and what it needs: stages, optimiser, checkpoints, processes, logs."""
