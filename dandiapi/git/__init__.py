"""The face for git and git-annex (docs/dialects/git.md): repositories to clone and push to, and annexed content."""
