"""Settings by place of use: `production`, `development` (`make run`) and `testing`, all over `base`.

This is the only room that reads environment variables; `docs/settings.md` describes each of them.
"""
