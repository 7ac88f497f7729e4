"""A report, for whoever runs the archive, of what is not as it should be."""
