"""Models from files that worlds draw instead of their parametric ones; see `library`."""
