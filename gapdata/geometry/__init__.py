"""Geometry on plain arrays: arrays in, arrays out.

Convention (one place, used everywhere)
    K         3x3 float64, pixels, zero skew; pixel (0, 0) has its centre at (0, 0).
    camera    OpenCV axes: x right, y down, z forward.
    cam2world 4x4 float64, column vectors, rigid with det R = +1; "pose" means cam2world.
    world     right-handed, z up, metres.
    depth     z-depth in metres, float32, 0 = invalid; length along a ray is `ray_distance`.
    normal    unit vectors facing the camera, in camera axes; world-frame ones say `_world`.
    order     sizes are (height, width); pixels are (u, v) = (x, y); channels last.
"""
