"""reports: the picture of a slide as its page shows it: photograph, classes, outlines, foci, tiles."""
