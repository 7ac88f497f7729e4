"""How git and git-annex write things down: keys, links, pointers, logs, references, the stream of an import."""
