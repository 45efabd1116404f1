"""colour: segmenters that decide each pixel by its own colour."""
