"""Error texts, word for word."""

import re


def exactly(text: str) -> str:
    """A pattern for `pytest.raises` that only this text matches."""
    return f"^{re.escape(text)}$"
