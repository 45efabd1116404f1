"""picture: class maps made small, washed over slides, traced into outlines."""
