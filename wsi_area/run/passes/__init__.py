"""passes: what goes over a whole class map once its tiles are counted: objects, the envelope of the tissue, its picture."""
