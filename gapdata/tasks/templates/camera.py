"""The words of questions about camera; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "relative_pose_distance": (
        "How far apart are the camera positions of the first and the second image, in metres?",
        "What is the distance between the places from which the two images were taken? Answer in metres.",
        "How many metres did the camera move from the first image to the second, in a straight line?",
        "Estimate the straight-line distance in metres between the two cameras.",
        "Give the distance between the viewpoints of image 1 and image 2, in metres.",
        "From the first to the second image, by how many metres was the camera displaced?",
    ),
    "relative_pose_angle": (
        "By how many degrees did the camera turn between the first and the second image?",
        "What is the angle of rotation between the two cameras, in degrees?",
        "Estimate the rotation of the camera from image 1 to image 2 as a single angle, in degrees.",
        "How large is the angle, in degrees, of the rotation that takes the first camera's orientation to the second's?",
        "How far was the camera rotated from the first image to the second? Answer in degrees.",
        "Give the total rotation angle between the orientations of the two cameras, in degrees.",
    ),
    "relative_pose_pose": (
        "What is the pose of the second image's camera in the frame of the first (x right, y down, z forward)? Answer in JSON with translation [x, y, z] in metres and rotation_zxy [z, x, y], extrinsic Euler angles in radians.",
        "Give the second camera's position and orientation relative to the first camera (x right, y down, z forward) as JSON: translation in metres, rotation_zxy as extrinsic z, x, y Euler angles in radians.",
        "Taking the first image's camera as the origin (x right, y down, z forward), where is the second image's camera and how is it turned? JSON with the keys translation (metres) and rotation_zxy (extrinsic zxy, radians), please.",
        "Estimate the relative pose of image 2 in the camera frame of image 1 (x right, y down, z forward). Return JSON with translation in metres and rotation_zxy in radians, extrinsic z, x, y order.",
        "Express the camera of the second image in the first camera's axes (x right, y down, z forward): JSON with translation [x, y, z], metres, and rotation_zxy [z, x, y], extrinsic Euler angles, radians.",
        "Which motion takes the first camera to the second? Answer as JSON with translation (metres) and rotation_zxy (radians, extrinsic z, x, y order), in the first camera's frame (x right, y down, z forward).",
    ),
    "camera_motion_direction": (
        "In which direction did the camera mainly move from the first image to the second, as seen from the first?",
        "Seen from the first image's camera, which way did the camera go to take the second image?",
        "Between image 1 and image 2, what is the main direction of the camera's movement in the first camera's axes?",
        "From the first viewpoint, the second picture was taken after moving mostly in which direction?",
        "Which direction describes best how the camera moved between the two images, from the first one's point of view?",
        "Relative to the first image's viewing direction, where did the camera mainly move before the second image?",
    ),
    "camera_motion_amount": (
        "How many metres {direction} did the camera move from the first image to the second, along the first camera's axes?",
        "In the first image's camera frame, by how many metres did the camera move {direction} before the second image?",
        "Seen from the first image's camera, the camera moved mainly {direction}. By how many metres in that direction?",
        "Between image 1 and image 2, how far did the camera move {direction} in metres, as seen from image 1?",
        "How large is the camera's movement {direction}, in metres, between the two images in the first one's axes?",
        "Counting only the {direction} direction of the first camera's axes, how many metres did the camera move between the two images?",
    ),
}
