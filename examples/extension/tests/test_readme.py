"""The Python blocks of README.md run."""

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_blocks_run() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    namespace: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, str(README), "exec"), namespace)
