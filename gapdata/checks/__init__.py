"""What `gapdata check` looks at in a sample and in a tar file, one thing a module."""
