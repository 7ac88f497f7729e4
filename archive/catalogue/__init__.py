"""Lists of datasets, with what lists show of each: found for all of them at once, whatever room it is from."""
