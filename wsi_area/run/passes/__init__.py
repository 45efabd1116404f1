"""passes: what goes over a whole class map: its objects, the envelope of the tissue, its picture."""
