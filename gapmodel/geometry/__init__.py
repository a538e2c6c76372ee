"""Geometry as an input: encoders of depth and normals, VGGT features, and their fusion into the visual tokens."""
