/* From a Python object to a callback record that C owns, and from a failed call to a Python exception. */
#ifndef TAKE_H
#define TAKE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "ringback.h"

/*
 * Moves the callback of `object` into `*record`. `object` is anything with `__ringback_callback__`; for all else, such as
 * a plain function, the Python package `ringback` is asked to make one. Returns 0, or -1 with a Python exception set.
 * After success, release_callback must be called once.
 */
int take_callback(PyObject *object, const char *signature, struct ringback_callback *record);

/* Makes a Python exception of what a failed call left, and consumes it. Needs the GIL. */
void raise_failure(const struct ringback_callback *record, int32_t status, void *error);

/* Gives the record back. */
void release_callback(struct ringback_callback *record);

#endif
