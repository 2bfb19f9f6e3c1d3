"""Exceptions of exported functions: class, text with its values, file and line, in Rust, and as the header tells a C program."""

import re

import numba
import numpy as np
import pytest
import ringback as rb
from test_export import pytestmark as only_here
from test_export import run, words

pytestmark = only_here


class OutOfRangeError(ArithmeticError):
    """A class of this file."""


def checked(x):
    if x > 100:
        raise OutOfRangeError("too far: (in the east)", x, int(x), x > 1)
    if x < 0:
        raise KeyError
    return helper(x)


@numba.njit
def helper(x):
    if x == 0:
        raise ValueError(
            "zero",
        )
    return 1.0 / (x - 1.0)


FIRST = checked.__code__.co_firstlineno
HELPER = helper.py_func.__code__.co_firstlineno


def test_the_parts_of_an_error(host, tmp_path):
    made = rb.compile(checked, "f64(f64)").export(tmp_path / "m.so")
    program = host / "errors"
    place = 'Some("checked") Some("test_export_errors.py")'
    said = [
        f'Some("OutOfRangeError") "too far: (in the east), 1000.5, 1000, True" {place} Some({FIRST + 2})',
        f'Some("KeyError") "" {place} Some({FIRST + 4})',
        f'Some("ValueError") "zero" Some("helper") Some("test_export_errors.py") Some({HELPER + 3})',
        f'Some("ZeroDivisionError") "division by zero" {place} Some({FIRST})',
        "1",
        "leaked 0",
    ]
    assert run(program, made.library, "checked", "1000.5", "-1", "0", "1", "2") == said


def texts(x):
    if x < 0:
        raise ValueError(f"größer als {int(x)}:\n\U0001f642", str(int(-x)) + "m", x)
    return x


def slices(x, out):
    out[1:] = x
    return out[0] + out[2]


def test_texts_made_at_run_time(host, tmp_path):
    made = rb.compile(texts, "f64(f64)").export(tmp_path / "m.so")
    line = texts.__code__.co_firstlineno + 2
    place = f'Some("texts") Some("test_export_errors.py") Some({line})'
    # The text is in one line, and what was made for it is freed with the error.
    assert run(host / "errors", made.library, "texts", "-3", "-12", "2") == [
        f'Some("ValueError") "größer als -3: \U0001f642, 3m, -3.0" {place}',
        f'Some("ValueError") "größer als -12: \U0001f642, 12m, -12.0" {place}',
        "2",
        "leaked 0",
    ]


def test_assigning_to_a_slice_says_both_shapes(host, tmp_path):
    callback = rb.compile(slices, "f64([f64], mut [f64])")
    made = callback.export(tmp_path / "m.so")
    calls = [([1.0, 2.0], [5.0, 6.0, 7.0]), ([1.0, 2.0], [5.0, 6.0])]
    lines = ["\t".join(["slices", callback.signature, ",".join(words(x)), ",".join(words(out))]) for x, out in calls]
    fits, differs, *_ = run(host / "call", made.library, input="\n".join(lines))
    assert fits == ",".join(words([7.0, 5.0, 1.0, 2.0]))
    # Some Numbas name the two shapes the wrong way round: the text is theirs.
    with pytest.raises(ValueError, match=r"^cannot assign slice .*\([12],\).*\([12],\)$") as numbas:
        numba.njit(slices)(np.array(calls[1][0]), np.array(calls[1][1]))
    assert differs.startswith(f"error: ValueError: {numbas.value} (in ")
    with pytest.raises(ValueError, match=f"^{re.escape(str(numbas.value))}$"):
        callback(np.array(calls[1][0]), np.array(calls[1][1]))


def test_the_header_says_how_a_program_in_c_reads_them(tmp_path):
    made = rb.compile(checked, "f64(f64)").export(tmp_path / "libmodel.a")
    assert (
        '"ValueError: negative start, -0.5 (in logp, model.py:12)", which is the class, what was said\n'
        " * with the values of that call, and the function, the file and the line that raised. The class ends at the first "
        '": ", the place\n * begins behind the last " (in ". '
    ) in made.header.read_text()
    (tmp_path / "main.c").write_text(
        r"""
        #include <stdio.h>
        #include <string.h>
        #include "model.h"
        int main(void) {
            const struct ringback_callback *f = ringback_library_v1_model.records[CHECKED_INDEX];
            checked_entry *entry;
            double result;
            void *error = NULL;
            char line[200];
            memcpy(&entry, &f->entry, sizeof entry);
            if (entry(&result, &error, 1000.5, f->env) <= 0 || error == NULL) return 1;
            f->describe(f, error, line, sizeof line);
            f->discard(f, error);
            char *text = strstr(line, ": "), *place = NULL;
            for (char *at = line; (at = strstr(at, " (in ")) != NULL; at++) place = at;
            if (text == NULL || place == NULL) return 2;
            *text = *place = '\0';
            printf("%s\n%s\n%s\n", line, text + 2, place + 5);
            return 0;
        }
        """
    )
    run(
        "cc",
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-pedantic",
        "main.c",
        "libmodel.a",
        "-lm",
        "-o",
        "main",
        cwd=tmp_path,
    )
    assert run(tmp_path / "main") == [
        "OutOfRangeError",
        "too far: (in the east), 1000.5, 1000, True",
        f"checked, test_export_errors.py:{FIRST + 2})",
    ]
