"""corrections: what drawings make of the pixels of a class map; pure, and the same however the map is cut."""
