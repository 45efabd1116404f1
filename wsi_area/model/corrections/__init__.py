"""corrections: what a person corrects on a measured slide: a list of drawings, and the amended version they make."""
