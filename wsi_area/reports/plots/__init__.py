"""reports: numbers as drawings: how one is spread over the slides, and where a threshold lies; pure."""
