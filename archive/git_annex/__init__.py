"""The formats of git and git-annex: keys, links, pointers, logs, references, the stream of an import."""
