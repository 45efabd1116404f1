"""header: what a slide file says of itself, without decoding a pixel."""
