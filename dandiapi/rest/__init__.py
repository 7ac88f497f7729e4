"""The DANDI REST face (contract `dandi.md`): views parse, call the domain, and render what `shapes` say."""
