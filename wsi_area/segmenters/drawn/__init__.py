"""drawn: segmenters that take what somebody drew."""
