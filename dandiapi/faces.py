"""The face that an address belongs to, for answers that are given before any view is called."""

# What programs ask for; all else, but for git, is pages. One page has its address below the API's
# (docs/dialects/dandi.md#questionnaire).
PROGRAMS = ("/api/", "/crn/", "/graphql", "/uploads/", "/server-info", "/oauth/token/", "/oauth/revoke_token/")
QUESTIONNAIRE = "/api/users/questionnaire-form/"
GRAPHQL = ("/crn/graphql", "/graphql", "/api/graphql")
GIT = ("/git/", "/git-annex/")


def is_for_programs(path: str) -> bool:
    """Return whether the address is one for programs, which read JSON."""
    return f"{path}/".startswith(PROGRAMS) and not path.startswith(QUESTIONNAIRE)


def is_for_graphql(path: str) -> bool:
    """Return whether the address is the one for GraphQL."""
    return path.rstrip("/") in GRAPHQL


def is_for_git(path: str) -> bool:
    """Return whether the address is one for git and git-annex."""
    return path.startswith(GIT)
