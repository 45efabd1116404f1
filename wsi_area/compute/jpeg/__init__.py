"""jpeg: the pixels of JPEGs, several at once, and the mean colour of each block from DC alone; doubt is refused."""
