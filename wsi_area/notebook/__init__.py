"""notebook: a run looked at in a notebook: tables, pictures, tiles, the arithmetic, and another run beside it."""
