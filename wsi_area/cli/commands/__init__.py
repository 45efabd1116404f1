"""commands: one file for each command of `wsi-area`."""
