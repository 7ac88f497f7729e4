"""The types of the schema: what there is to ask for. Their values are rows and records of the domain."""
