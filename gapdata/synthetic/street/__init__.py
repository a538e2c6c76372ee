"""Streets for driving: road, buildings, traffic and people, and a camera that drives through."""
