"""compute: an area that a sample of points says, how sure it is, and how such points are drawn; pure."""
