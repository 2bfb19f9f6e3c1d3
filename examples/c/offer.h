/* Callbacks that are made in C, for whoever takes callback records. */
#ifndef OFFER_H
#define OFFER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* polynomial(coefficients, low, high): an object that offers `f64(f64)`; a ValueError outside of [low, high]. */
PyObject *offer_polynomial(PyObject *module, PyObject *args);

/* normal(mean): an object that offers `f64([f64], mut [f64])`, a log density that writes its gradient. */
PyObject *offer_normal(PyObject *module, PyObject *args);

/* A list or another sequence of numbers in memory of malloc; NULL with a Python exception set. */
double *numbers_of(PyObject *sequence, size_t *count);

#endif
