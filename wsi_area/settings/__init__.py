"""settings: what a run may be told, from files, options and manifests."""
