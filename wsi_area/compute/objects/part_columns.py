"""compute: what the columns of a part's integers hold; compiled into the kernels that write them."""

AREA, SUM_X2, SUM_Y2, LEFT, TOP, RIGHT, BOTTOM, FIRST_X, ABOVE = range(9)
"""Level-0 px; twice the sums of the x and y of their centres; the box in work px; the column of its first pixel in
reading order (its row is TOP), and the part above that."""
PART_INTEGERS = 9
BEYOND_BOX = -1  # in ABOVE: the first pixel lies in the box's first row
