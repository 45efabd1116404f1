"""compute: the uncertainty budget of an area: what each thing adds, and what all of it comes to; pure."""
