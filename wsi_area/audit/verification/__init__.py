"""verification: what of a finished run is held against what, room by room."""
