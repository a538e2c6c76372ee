"""The world of plain bodies: cubes, spheres, cones and the like in named colours and materials."""
