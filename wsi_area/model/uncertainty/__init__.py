"""model: documents of what makes an area uncertain: points that somebody looked at, slides measured more than once."""
