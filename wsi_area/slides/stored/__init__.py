"""stored: a picture as its file keeps it: handles, tiles and samples, decoded as they are."""
