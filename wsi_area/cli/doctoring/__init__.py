"""doctoring: what `wsi-area doctor` tries, one by one."""
