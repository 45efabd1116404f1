"""jpeg: the mean colour of each block of a JPEG, read from its DC coefficients alone; whoever is in doubt refuses."""
