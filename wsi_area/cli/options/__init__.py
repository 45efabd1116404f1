"""options: what several commands ask in the same words."""
