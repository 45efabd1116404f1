"""run: where verbs meet files; the only room that knows dask."""
