"""sections: the pieces of tissue on a slide, and the cores of a tissue microarray; found on boxes of tissue; pure."""
