"""Random numbers in exported functions: the draws of the JIT after the same seed, and never any before a seed."""

import random
import shutil
from pathlib import Path

import numba
import numpy as np
import pytest
import ringback as rb
from ringback.exports.seeding import unseeded
from test_export import bits, run, words
from test_export import pytestmark as only_here

pytestmark = only_here

SEEDS = [0.0, 1.0, 12345.0, 4294967295.0]
LENGTH = 40


def numbers(x, out):
    np.random.seed(int(x[0]))
    for i in range(0, LENGTH, 10):
        out[i] = np.random.random() + 10.0 * np.random.rand()
        out[i + 1] = np.random.uniform(-2.0, 5.0)
        out[i + 2] = np.random.normal(1.0, 3.0)
        out[i + 3] = np.random.standard_normal()
        out[i + 4] = np.random.exponential(2.0)
        out[i + 5] = np.random.gamma(0.3, 2.0) + np.random.gamma(4.0, 1.0)
        out[i + 6] = np.random.beta(0.5, 3.0)
        out[i + 7] = np.random.randint(-5, 1000)
        out[i + 8] = np.random.poisson(3.5) + 1000.0 * np.random.poisson(11.0)
        out[i + 9] = np.random.poisson(1e5)
    return np.random.random()


def arrays(x, out):
    np.random.seed(int(x[0]))
    out[:10] = np.random.permutation(10)
    shuffled = np.arange(10.0)
    np.random.shuffle(shuffled)
    out[10:20] = shuffled
    out[20:25] = np.random.choice(shuffled, 5, replace=False)
    out[25:31] = np.random.normal(0.0, 1.0, 6)
    return np.random.random()


def of_python(x, out):
    random.seed(int(x[0]))
    for i in range(0, LENGTH, 4):
        out[i] = random.random()
        out[i + 1] = random.uniform(-1.0, 2.0)
        out[i + 2] = random.gauss(0.0, 1.0)
        out[i + 3] = random.randint(1, 6) + float(random.getrandbits(40))
    random.shuffle(out)
    return 0.0


@numba.njit
def seed_both(n):
    np.random.seed(n)
    random.seed(n + 1)


def walk(n):
    s = 0.0
    for _ in range(n):
        s += np.random.normal() if random.random() < 0.5 else np.random.exponential()
    return s


def in_helpers(x, out):
    """Seeds in a helper, on every path, and draws in another."""
    if x[0] > 1.0:
        seed_both(int(x[0]))
    else:
        seed_both(7)
    out[0] = walk(1000)
    return out[0]


FUNCTIONS = [numbers, arrays, of_python, in_helpers]


@pytest.fixture(scope="module")
def draws(tmp_path_factory):
    """The callbacks, and the library of all."""
    callbacks = {f.__name__: rb.compile(f, "f64([f64], mut [f64])") for f in FUNCTIONS}
    return callbacks, rb.export(callbacks, tmp_path_factory.mktemp("random") / "draws.so").library


def test_draws_are_those_of_the_jit(host, draws):
    callbacks, library = draws
    lines, wanted = [], []
    # Each function twice for each seed, so that a state that is left by the one before is seen.
    for seed in [*SEEDS, *SEEDS]:
        for name, callback in callbacks.items():
            x, out = np.full(LENGTH, seed), np.zeros(LENGTH)
            result = callback(x, out)
            wanted.append(",".join([*words(result), *words(out.tolist())]))
            lines.append(
                "\t".join([name, callback.signature, ",".join(words(x.tolist())), ",".join(words([0.0] * LENGTH))])
            )
    *found, leaked, _ = run(host / "call", library, input="\n".join(lines))
    assert found == wanted
    assert leaked == "leaked 0 0"
    assert len(set(wanted)) == len(wanted) / 2 - 1  # in_helpers has one seed for two


def seeded(x):
    np.random.seed(int(x))
    return np.random.normal() + np.random.poisson(12.5)


def test_threads_do_not_disturb_each_other(host, tmp_path):
    callback = rb.compile(seeded, "f64(f64)")
    made = callback.export(tmp_path / "m.so")
    given = [1.0, 2.0, 3.0]
    wanted = [bits(callback(x)) for x in given]
    assert run(host / "threads", made.library, "seeded", *map(bits, given)) == wanted
    if shutil.which("valgrind"):
        check = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]
        assert run(*check, host / "threads", made.library, "seeded", *map(bits, given)) == wanted


def test_a_program_may_be_linked_with_it(tmp_path):
    callback = rb.compile(seeded, "f64(f64)")
    callback.export(tmp_path / "libdraws.a")
    (tmp_path / "main.c").write_text(
        """
        #include <stdio.h>
        #include <string.h>
        #include "draws.h"
        int main(void) {
            const struct ringback_callback *f = ringback_library_v1_draws.records[SEEDED_INDEX];
            seeded_entry *entry;
            double result;
            void *error = NULL;
            memcpy(&entry, &f->entry, sizeof entry);
            for (int i = 1; i < 4; i++) {
                if (entry(&result, &error, i, f->env)) return 1;
                printf("%a\\n", result);
            }
            return 0;
        }
        """
    )
    run("cc", "main.c", "libdraws.a", "-lm", "-o", "main", cwd=tmp_path)
    assert [float.fromhex(line) for line in run(tmp_path / "main")] == [callback(x) for x in (1.0, 2.0, 3.0)]


@numba.njit
def draws_first():
    return random.random()


def sometimes(x):
    if x > 3:
        np.random.seed(int(x))
    return np.random.random()


def too_late(x):
    y = np.random.random()
    np.random.seed(int(x))
    return y + np.random.random()


def the_other(x):
    np.random.seed(int(x))
    return np.random.random() + draws_first()


@pytest.mark.parametrize(
    ("function", "source"),
    [
        (sometimes, "return np.random.random()"),
        (too_late, "y = np.random.random()"),
        (the_other, "return np.random.random() + draws_first()"),
    ],
)
def test_draws_before_the_seed_are_refused_with_their_line(tmp_path, function, source):
    with pytest.raises(rb.ExportError) as refused:
        rb.compile(function, "f64(f64)").export(tmp_path / "m.so")
    first, *_, place, line = str(refused.value).splitlines()
    assert first == (
        f"cannot export {function.__name__}: it needs random numbers before they are seeded, which this process does: call "
        "np.random.seed(n) (random.seed(n) for the module random) in the function itself, on every path before the first draw, or "
        "pass random numbers as arguments"
    )
    number = function.__code__.co_firstlineno
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert line == f"    {source}"
    assert place == f"  File {__file__!r}, line {lines.index(line, number) + 1}, in {function.__name__}"


SEED = "  call void @numba_rnd_init(ptr %s, i32 1)"
DRAW = "  %i = load i32, ptr %s, align 4"
STATE = "  %s = tail call ptr @numba_get_np_random_state() #1"


def function(*lines, name="entry"):
    return "\n".join([f"define internal i32 @{name}(i64 %n) {{", *lines, "}", ""])


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (function("b:", STATE, SEED, DRAW, "  ret i32 %i"), []),
        (function("b:", STATE, DRAW, SEED, "  ret i32 %i"), [DRAW]),
        # An address is none; what is read there is.
        (function(STATE, "  %g = getelementptr i8, ptr %s, i64 4", SEED, "  %v = load i32, ptr %g", "  ret i32 %v"), []),
        (
            function(STATE, "  %g = getelementptr i8, ptr %s, i64 4", "  %v = load i32, ptr %g", "  ret i32 %v"),
            ["  %v = load i32, ptr %g"],
        ),
        # Both ways into a block must have seeded.
        (
            function("a:", STATE, "  br i1 %c, label %x, label %y", "x:", SEED, "  br label %z", "y:", SEED,
                     "  br label %z", "z:", DRAW, "  ret i32 0"),
            [],
        ),
        (
            function("a:", STATE, "  br i1 %c, label %x, label %z", "x:", SEED, "  br label %z", "z:", DRAW, "  ret i32 0"),
            [DRAW],
        ),
        # A loop that may have no turn; and one whose body draws what the turn before seeded, but for the first.
        (
            function("a:", STATE, "  br label %x", "x:", "  br i1 %c, label %y, label %z", "y:", SEED, "  br label %x", "z:", DRAW,
                     "  ret i32 0"),
            [DRAW],
        ),
        (
            function("a:", STATE, "  br label %x", "x:", DRAW, SEED, "  switch i64 %n, label %z [", "    i64 1, label %x", "  ]",
                     "z:", "  ret i32 0"),
            [DRAW],
        ),
        # What is called seeds, where it returns; what is called draws.
        (
            function("  %r = call i32 @f(i64 1)", STATE, DRAW, "  ret i32 0") + function("a:", STATE, SEED, "  ret i32 0", name="f"),
            [],
        ),
        (
            function("  %r = call i32 @f(i64 1)", STATE, DRAW, "  ret i32 0")
            + function("a:", STATE, "  br i1 %c, label %x, label %y", "x:", SEED, "  ret i32 0", "y:", "  ret i32 1", name="f"),
            [DRAW],
        ),
        (
            function(STATE, "  %r = call i32 @f(i64 1)", SEED, "  ret i32 0") + function(STATE, DRAW, "  ret i32 0", name="f"),
            ["  %r = call i32 @f(i64 1)", DRAW],
        ),
        (
            function(STATE, SEED, "  %r = call i32 @f(i64 1)", "  ret i32 0") + function(STATE, DRAW, "  ret i32 0", name="f"),
            [],
        ),
        # Recursion draws once it is seeded outside.
        (
            function(STATE, SEED, "  %r = call i32 @f(i64 1)", "  ret i32 0")
            + function(STATE, DRAW, "  %r = call i32 @f(i64 1)", "  ret i32 0", name="f"),
            [],
        ),
        # Called by its address from elsewhere.
        (
            "@table = internal constant ptr @f\n" + function(STATE, SEED, "  ret i32 0") + function(STATE, DRAW, "  ret i32 0", name="f"),
            [DRAW],
        ),
        # The other generator; and one of the two, whichever.
        (function(STATE, SEED, "  %p = call ptr @numba_get_py_random_state()", "  %v = load i32, ptr %p", "  ret i32 0"),
         ["  %v = load i32, ptr %p"]),
        (
            function(STATE, "  %p = call ptr @numba_get_py_random_state()", "  %q = select i1 %c, ptr %s, ptr %p",
                     "  call void @numba_rnd_init(ptr %q, i32 1)", DRAW, "  ret i32 0"),
            ["  call void @numba_rnd_init(ptr %q, i32 1)", DRAW],
        ),
        # Handed on to a function that is not here, or to memory.
        (function(STATE, "  %k = call i64 @numba_poisson_ptrs(ptr nonnull %s, double 2.0)", SEED, "  ret i32 0"),
         ["  %k = call i64 @numba_poisson_ptrs(ptr nonnull %s, double 2.0)"]),
        (function(STATE, "  store ptr %s, ptr %a", SEED, "  ret i32 0"), ["  store ptr %s, ptr %a"]),
    ],
)  # fmt: skip
def test_draws_are_told_from_the_code(text, drawn):
    assert unseeded(text, "entry") == drawn
