"""compute: the areas of a slide from a random sample of small spots of it, with an interval that holds the truth."""
