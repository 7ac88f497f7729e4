"""The face for git and git-annex: repositories to clone and push to, and the content of what is annexed."""
