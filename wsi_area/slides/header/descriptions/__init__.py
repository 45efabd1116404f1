"""slides: what a file says of its pixel size elsewhere: in libvips's properties, frame by frame, in words."""
