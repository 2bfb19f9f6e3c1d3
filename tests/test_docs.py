"""Runs the Python blocks of the documentation: from top to bottom, one namespace for each file, and alone."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "docs/guide.md"]
LINKED = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
LINKED += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
LINKED += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("*/README.md"))
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[int, str]]:
    """First line and source of each Python block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start(1)) + 1, match.group(1)) for match in BLOCK.finditer(text)]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.filterwarnings("error")
def test_blocks_run_in_order(page: str) -> None:
    found = blocks(page)
    assert found, f"{page} has no Python blocks"
    # Functions are defined in the blocks' own namespace, as in a script.
    namespace: dict[str, object] = {"__name__": "docs"}
    for line, source in found:
        # Leading newlines make the line numbers of a traceback those of the page.
        exec(compile("\n" * (line - 1) + source, str(ROOT / page), "exec"), namespace)


@pytest.mark.parametrize("block", range(1, len(blocks("docs/guide.md"))))
@pytest.mark.filterwarnings("error")
def test_blocks_of_the_guide_run_alone(block: int) -> None:
    # Who pastes one has the imports of the first, as the guide says.
    page = "docs/guide.md"
    namespace: dict[str, object] = {"__name__": "docs"}
    for line, source in (blocks(page)[0], blocks(page)[block]):
        exec(compile("\n" * (line - 1) + source, str(ROOT / page), "exec"), namespace)


@pytest.mark.parametrize("page", LINKED)
def test_links_lead_to_files(page: str) -> None:
    path = ROOT / page
    prose = CODE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{page} links to {target}"
