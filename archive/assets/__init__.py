"""Assets as rows in time, and the folders that hold them."""
