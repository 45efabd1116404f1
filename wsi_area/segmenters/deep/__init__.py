"""deep: channels of more than 8 bits, measured on their stored samples."""
