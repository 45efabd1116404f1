"""results: the tables of a run as one Excel workbook: its sheets, how they look, and the file that holds them."""
