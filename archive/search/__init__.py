"""Finding datasets by what is said about them, and by what their files are: languages, filters, index."""
