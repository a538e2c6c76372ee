"""The words of questions about distance from the camera; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "camera_object_distance": (
        "How far {is_x} {the_x} {in_views} from {camera}, in metres, measured to the nearest point?",
        "What is the distance from {camera} to the nearest point of {the_x} {in_views}? Answer in metres.",
        "{in_views}, how many metres lie between {camera} and the closest point of {the_x}?",
        "Measured from the optical centre of {camera} to the closest point of the surface, how far away {is_x} {the_x} {in_views}, in metres?",
        "Estimate the shortest distance in metres from {camera} to the surface of {the_x} {in_views}.",
        "Give the distance between {camera} and {the_x} {in_views}, to the nearest surface point, in metres.",
    ),
    "nearest_to_camera_choice": (
        "Which of these objects is closest to the camera {in_views}, measured to its nearest point?",
        "Measuring from the camera to nearest points, which of the following objects {in_views} is closest?",
        "{in_views}, which of the listed objects has the shortest distance to the camera?",
        "Of the objects listed, which one comes closest to the camera {in_views}, counting nearest points?",
        "Judging by the distance to their nearest points, to which of these objects is the camera closest {in_views}?",
        "Which object {in_views} is the nearest one to whoever took the picture, counting nearest points?",
    ),
    "nearest_to_camera_yesno": (
        "{is_a} {the_a} nearer to the camera than {the_b} {in_views}, measured to nearest points?",
        "Measuring from the camera to nearest points, {is_a} {the_a} closer than {the_b} {in_views}?",
        "{in_views}, {does_a} {the_a} come closer to the camera than {the_b}, counting nearest points?",
        "Is it true that the camera is closer to {the_a} than to {the_b} {in_views}, going by nearest points?",
        "Compared with {the_b}, {is_a} {the_a} less far from the camera {in_views}, counting nearest points?",
        "Going by nearest points {in_views}, is the distance from the camera to {the_a} shorter than the one to {the_b}?",
    ),
    "distance_order": (
        "Order these objects {in_views} by their distance from the camera, nearest first, measured to nearest points.",
        "{in_views}, which of the listed orders goes from the nearest to the farthest object, seen from the camera and counting nearest points?",
        "Sort the objects {in_views} by how far their nearest points are from the camera, closest first.",
        "Measuring from the camera to nearest points, which order of these objects {in_views} runs from near to far?",
        "Rank the listed objects {in_views} from closest to farthest from the camera, going by nearest points.",
        "Starting with the closest to the camera, in what order come the objects {in_views}, counting nearest points?",
    ),
    "distance_change_choice": (
        "From image 1 to image 2, does the camera end up nearer to {the_x} or farther away, measured to the nearest point?",
        "Compared with image 1, how far from the nearest point of {the_x} is the camera in image 2: nearer or farther?",
        "Between the first image and the second, does the distance from the camera to {the_x} shrink or grow? Answer nearer or farther, going by nearest points.",
        "In image 2, is the camera nearer to the closest point of {the_x} than in image 1, or farther from it?",
        "How does the camera's distance to {the_x} change from image 1 to image 2, counting nearest points?",
        "Moving from image 1 to image 2, does the camera get nearer to {the_x} or farther, going by the nearest point?",
    ),
    "distance_change_number": (
        "By how many metres is the camera {word} in image 2 than in image 1, measured to the nearest point of {the_x}?",
        "In image 2 the camera is {word}, measured to the nearest point of {the_x}, than in image 1. By how many metres?",
        "From image 1 to image 2 the camera ends up {word}, counting the nearest point of {the_x}. How large is the change in metres?",
        "How much {word}, in metres, is the camera in image 2 than in image 1, going by the nearest point of {the_x}?",
        "Estimate by how many metres the camera is {word} in image 2 than in image 1, measured to the closest point of {the_x}.",
        "Give the change in metres of the distance between the camera and the nearest point of {the_x} from image 1 to image 2, where the camera ends up {word}.",
    ),
}
