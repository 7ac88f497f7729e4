"""The DANDI REST face (docs/dialects/dandi.md): views parse, call the domain, and render what `shapes` say."""
