"""slides: what the description of a TIFF says of its pixels besides the words of scanners, ImageJ and OME-XML."""
