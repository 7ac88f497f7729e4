"""The GraphQL face: OpenNeuro's dialect (docs/dialects/openneuro.md)."""
