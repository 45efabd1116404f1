"""calibration: which pixel size is believed, and why."""
