"""storage: files and objects: folders, buckets, locks, whole files."""
