"""How git and git-annex write things down, each fact once: no database, no store, no git is needed to know it."""
