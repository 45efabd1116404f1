"""results: bands and hot spots of a slide: counted box by box on its stores, and put on record."""
