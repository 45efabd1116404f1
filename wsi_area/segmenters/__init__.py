"""segmenters: from pixels to a class map; the room that other people extend. Nothing is imported here."""
