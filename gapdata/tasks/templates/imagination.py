"""The words of questions about what is seen from elsewhere; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "spatial_imagination_side": (
        "Imagine standing at {the_y} and facing {the_z}. From there, on which hand of {the_b} {is_a} {the_a}, left or right?",
        "If you stood where {the_y} {is_y} and looked towards {the_z}, on which side of {the_b} would {the_a} be?",
        "You are at {the_y}, looking at {the_z}. On which side of {the_b} do you see {the_a}?",
        "From the place of {the_y}, with {the_z} straight ahead, is the direction to {the_a} left or right of the one to {the_b}?",
        "Take the position of {the_y} and turn to {the_z}. Where {is_a} {the_a} compared with {the_b}?",
        "Seen by someone at {the_y} who faces {the_z}, which side of {the_b} {is_a} {the_a} on?",
    ),
    "spatial_imagination_depth": (
        "Imagine standing at {the_y} and facing {the_z}. From there, {is_a} {the_a} nearer or farther than {the_b}?",
        "If you stood where {the_y} {is_y} and looked towards {the_z}, would {the_a} be nearer to you or farther from you than {the_b}?",
        "You are at {the_y}, looking at {the_z}. Compared with {the_b}, how far away {is_a} {the_a}: nearer or farther?",
        "From the place of {the_y}, with {the_z} straight ahead, is the way along the floor to {the_a} shorter (nearer) or longer (farther) than to {the_b}?",
        "Take the position of {the_y} and turn to {the_z}: {is_a} {the_a} nearer to you or farther away than {the_b}?",
        "For someone at {the_y} who faces {the_z}, {is_a} {the_a} nearer or farther than {the_b}?",
    ),
    "spatial_imagination_yesno": (
        "Imagine standing at {the_y} and facing {the_z}. From there, {is_a} {the_a} {relation} {the_b}?",
        "If you stood where {the_y} {is_y} and looked towards {the_z}, would {the_a} be {relation} {the_b}?",
        "You are at {the_y}, looking at {the_z}: {is_a} {the_a} {relation} {the_b}?",
        "From the place of {the_y}, with {the_z} straight ahead, {is_a} {the_a} {relation} {the_b}?",
        "Take the position of {the_y} and turn to {the_z}: {is_a} {the_a} then {relation} {the_b}?",
        "You look from {the_y} to {the_z}. Is it true that {the_a} {is_a} {relation} {the_b}?",
    ),
    "spatial_imagination_offset": (
        "Imagine standing at {the_y} and facing {the_z}. How many metres {side} is the centre of {the_a}?",
        "If you stood at the centre of {the_y} and looked towards {the_z}, how far {side} would the centre of {the_a} be, in metres?",
        "You are at {the_y}, looking at {the_z}. By how many metres {is_a} {the_a} {side}, measured between centres along the floor?",
        "From the place of {the_y}, with {the_z} straight ahead, how many metres {side} {is_a} {the_a}? Measure to its centre.",
        "Take the position of {the_y} and turn to {the_z}: {the_a} {is_a} {side}: by how many metres, centre to centre?",
        "Standing at {the_y} and facing {the_z}, how far in metres {is_a} {the_a} {side}, counting only that direction?",
    ),
    "scene_map": (
        "Draw a map of the scene from above: {cells} x {cells} cells of {cell} m, with {camera} in the middle, looking up the map. In which cells are the centres of {names}? Answer with a JSON list of label and cell [column, row], counting from [0, 0] at the top left.",
        "Put {names} on a top-down grid of {cells} x {cells} cells, each {cell} m wide; {camera} is at the centre and looks towards row 0; column 0 is on its left. Give JSON rows with label and cell = [column, row] of each centre.",
        "On a bird's-eye grid ({cells} columns, {cells} rows, {cell} m a cell) {camera} stands in the middle and faces row 0, with column 0 to its left. Locate {names}: a JSON list with label and cell [column, row] of their centres, please.",
        "Seen from above, the scene is divided into {cells} x {cells} cells of {cell} m around {camera}, which is in the middle and looks up, to row 0; column 0 is on its left. Return a JSON list with label and cell [column, row] of the centres of {names}.",
        "Where are {names} on a map with {cells} x {cells} cells of {cell} m? {camera} is in the middle of the map, facing its top; [0, 0] is the cell at the top left. Answer as JSON: label and cell [column, row] for each centre.",
        "Make a cognitive map: a grid of {cells} x {cells} cells, {cell} m each, whose middle is {camera} and whose top, row 0, is ahead of it. For {names} list label and cell [column, row], column 0 being leftmost, as JSON.",
    ),
}
