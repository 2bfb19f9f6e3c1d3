"""The benchmarks' truths are true, and the page says what the results say. Times are not looked at."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from scipy.integrate import quad as scipy_quad

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def benches(monkeypatch):
    """Imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT / "benches"))
    names = ("integrands", "spectrum", "run", "common")
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def test_the_truths_are_those_of_scipy_at_its_finest(benches):
    for problem in benches("integrands").PROBLEMS:
        points = [0.3] if problem.name == "gaussian" else None
        value, _ = scipy_quad(problem.function, problem.a, problem.b, epsabs=0, epsrel=1e-12, limit=500, points=points)
        assert value == pytest.approx(problem.truth, rel=1e-11), problem.title


def test_the_page_is_written_from_the_results(benches):
    results = json.loads((ROOT / "benches" / "results.json").read_text())
    assert (ROOT / "docs" / "benchmarks.md").read_text() == benches("run").page(results)


def test_every_question_has_a_file_and_results(benches):
    questions = benches("run").QUESTIONS
    results = json.loads((ROOT / "benches" / "results.json").read_text())
    assert set(questions) == set(results["questions"])
    assert all((ROOT / "benches" / f"{question}.py").exists() for question in questions)
