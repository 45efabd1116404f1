"""audit: subjects measured more than once: how far their areas lie apart, as a calibration for other runs."""
