"""`gapmodel predict`: what a model says and sees of some pictures, as text, PNG, JSON and PLY."""
