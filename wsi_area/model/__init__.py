"""model: the nouns; frozen values that travel between the rooms, with the unit or the frame in each name."""
