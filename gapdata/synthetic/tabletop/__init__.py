"""The world of table tops: everyday things beside, on, in and against each other, as robots meet them."""
