"""audit: finished runs judged: recounted, held against truth, compared with each other."""
