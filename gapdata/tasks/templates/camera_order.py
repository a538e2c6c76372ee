"""The words of questions about the change from view to view; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "view_change_choice": (
        "Which way did the camera mainly turn from the first image to the second?",
        "From image 1 to image 2, in which direction was the camera mostly turned?",
        "Comparing the two images, which way has the view been rotated the most?",
        "What is the main turn of the camera between the first and the second image?",
        "The camera was turned before the second image was taken. Mostly which way?",
        "In which direction did the viewing direction change most between image 1 and image 2?",
    ),
    "view_change_yesno": (
        "Did the camera mainly turn {direction} from the first image to the second?",
        "Is it true that the view turned mostly {direction} between image 1 and image 2?",
        "Between the two images, was the camera turned mainly {direction}?",
        "Going from the first image to the second, did the viewing direction change mostly to point more {direction}?",
        "Would you say that the camera turned mostly {direction} before the second image was taken?",
        "Was {direction} the main direction in which the camera was turned from image 1 to image 2?",
    ),
    "view_change_text": (
        "How does the view change from the first image to the second? Answer in JSON with move_right, move_down, move_forward (metres, in the first camera's axes), turn_left and tilt_up (degrees); opposite directions are negative.",
        "Describe the camera's change from image 1 to image 2 as JSON: move_right, move_down and move_forward in metres along the first camera's axes, turn_left and tilt_up in degrees. Use minus signs for the opposite directions.",
        "Which movement turns the first view into the second? Give JSON with the keys move_right, move_down, move_forward (metres; the first camera's axes), turn_left, tilt_up (degrees), negative for the opposite way.",
        "Estimate how the camera moved and turned between the two images: JSON with move_right, move_down, move_forward in metres, seen from the first camera, and turn_left, tilt_up in degrees. Negative numbers mean the opposite.",
        "Return JSON for the change of view from the first image to the second: metres as move_right, move_down, move_forward in the axes of the first camera, degrees as turn_left, tilt_up; a negative value is the opposite direction.",
        "Give move_right, move_down, move_forward (in metres along the first camera's axes) and turn_left, tilt_up (in degrees) that lead from image 1 to image 2, as JSON. The opposite directions have negative values.",
    ),
    "frame_order": (
        "{views} are from one video in mixed order, but image 1 was taken first. In which order were the others taken?",
        "Image 1 is the earliest of {views}, which come from one walk with a camera. What is the order in time of the others?",
        "A camera took {views} on a single walk, starting with image 1. Put the other images in the order in which they were taken.",
        "Image 1 starts a short video. The other frames have been shuffled. What is their right order in time?",
        "Starting from image 1, in which order did the moving camera most directly take the rest of {views}?",
        "{views} were shuffled, except that image 1 is still the first. Which order of the others follows the camera's path?",
    ),
    "overlap_yesno": (
        "Do the two images show a common part of the scene?",
        "Is there a place that both image 1 and image 2 show?",
        "Can a part of what the first image shows also be seen in the second?",
        "Do the first and the second image overlap in what they show?",
        "Is some of the same place visible in both images?",
        "Are there surfaces that can be seen in both of the images?",
    ),
    "overlap_choice": (
        "Which of the other images shares most of its visible place with image 1?",
        "Image 1 overlaps most with which of the other images?",
        "Among the other images, which one shows the most of what image 1 shows?",
        "Which image has the largest part of the scene in common with image 1?",
        "Compare the other images with image 1: which one looks most at the same place?",
        "With which of the other images does image 1 have most visible surfaces in common?",
    ),
}
