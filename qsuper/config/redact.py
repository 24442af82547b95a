"""A URL as it may be shown: without its password."""

import re

HIDDEN = "***"

# Greedy up to the last @ and content with half a scheme: misspelt URLs hide theirs as well.
_USER_AND_PASSWORD = re.compile(r"((?:^|(?<!/)//)[^/:@?]*:)(?!//).*@", re.DOTALL)
_SECRET_ARGUMENT = re.compile(r"([?&][^=&]*(?:pass|pwd|secret|token)[^=&]*=)[^&]*", re.IGNORECASE)


def redact_url(url: str) -> str:
    """The URL with `***` in place of its password; never fails, whatever the text is."""
    return _SECRET_ARGUMENT.sub(rf"\1{HIDDEN}", _USER_AND_PASSWORD.sub(rf"\1{HIDDEN}@", url))
