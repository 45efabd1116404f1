"""compute: how far repeated measurements of the same subjects lie apart, and how sure that is; pure."""
