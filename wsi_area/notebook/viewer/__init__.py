"""notebook: a slide to pan and zoom in a notebook, with its classes over it; loaded by who views one."""
