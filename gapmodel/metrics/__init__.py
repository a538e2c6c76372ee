"""How good answers, depth, normals, poses, points and boxes are: numpy in, plain numbers out."""
