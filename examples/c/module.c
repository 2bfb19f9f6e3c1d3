/* The extension module example_c: C functions that take callbacks from Python, and callbacks made in C. */
#include <stdlib.h>

#include "offer.h"
#include "solvers.h"
#include "take.h"

double *numbers_of(PyObject *sequence, size_t *count) {
    Py_ssize_t i, n = PySequence_Size(sequence);
    double *numbers;
    if (n < 0)
        return NULL;
    numbers = malloc(n == 0 ? 1 : (size_t)n * sizeof *numbers);
    if (numbers == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        numbers[i] = item == NULL ? -1.0 : PyFloat_AsDouble(item);
        Py_XDECREF(item);
        if (numbers[i] == -1.0 && PyErr_Occurred() != NULL) {
            free(numbers);
            return NULL;
        }
    }
    *count = (size_t)n;
    return numbers;
}

static PyObject *list_of(const double *numbers, size_t count) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    size_t i;
    for (i = 0; list != NULL && i < count; i++) {
        PyObject *item = PyFloat_FromDouble(numbers[i]);
        if (item == NULL || PyList_SetItem(list, (Py_ssize_t)i, item) != 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *py_rk4(PyObject *module, PyObject *args) {
    PyObject *function, *start, *result = NULL;
    struct ringback_callback slope;
    double t0, t1, *y, *work;
    Py_ssize_t steps;
    size_t n;
    void *error = NULL;
    int32_t status;

    (void)module;
    if (!PyArg_ParseTuple(args, "OOddn", &function, &start, &t0, &t1, &steps))
        return NULL;
    if (steps < 1)
        return PyErr_Format(PyExc_ValueError, "at least 1 step expected, found %zd", steps);
    y = numbers_of(start, &n);
    if (y == NULL)
        return NULL;
    work = malloc(5 * n * sizeof *work + 1);
    if (work == NULL) {
        PyErr_NoMemory();
    } else if (take_callback(function, SLOPE_SIGNATURE, &slope) == 0) {
        /* No call needs the GIL. A function that runs in the interpreter takes it itself, so it must be free. */
        Py_BEGIN_ALLOW_THREADS
        status = rk4(&slope, t0, t1, (size_t)steps, y, n, work, &error);
        Py_END_ALLOW_THREADS
        if (status == 0)
            result = list_of(y, n);
        else
            raise_failure(&slope, status, error);
        release_callback(&slope);
    }
    free(work);
    free(y);
    return result;
}

static PyObject *py_weighted_sum(PyObject *module, PyObject *args) {
    PyObject *function, *flat, *factors, *result = NULL;
    struct ringback_callback density;
    double sum, *points, *weights = NULL;
    size_t length, count = 0;
    void *error = NULL;
    int32_t status;

    (void)module;
    if (!PyArg_ParseTuple(args, "OOO", &function, &flat, &factors))
        return NULL;
    points = numbers_of(flat, &length);
    if (points != NULL)
        weights = numbers_of(factors, &count);
    if (weights != NULL && (count == 0 || length % count != 0)) {
        PyErr_Format(PyExc_ValueError, "%zu coordinates are no whole number of points for %zu weights", length, count);
    } else if (weights != NULL && take_callback(function, DENSITY_SIGNATURE, &density) == 0) {
        Py_BEGIN_ALLOW_THREADS
        status = weighted_sum(&density, points, weights, count, length / count, &sum, &error);
        Py_END_ALLOW_THREADS
        if (status == 0)
            result = PyFloat_FromDouble(sum);
        else
            raise_failure(&density, status, error);
        release_callback(&density);
    }
    free(weights);
    free(points);
    return result;
}

static PyMethodDef methods[] = {
    {"rk4", py_rk4, METH_VARARGS, "rk4(slope, y, t0, t1, steps) -> y at t1; slope(t, y, dy) writes dy."},
    {"weighted_sum", py_weighted_sum, METH_VARARGS,
     "weighted_sum(f, points, weights): the sum of weights[i] * f(point i); points is flat."},
    {"polynomial", offer_polynomial, METH_VARARGS,
     "polynomial(coefficients, low, high): a callback f64(f64) made in C; lowest coefficient first."},
    {"normal", offer_normal, METH_VARARGS, "normal(mean): a callback f64([f64], mut [f64]) made in C."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "example_c", "Callbacks in C.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_example_c(void);

PyMODINIT_FUNC PyInit_example_c(void) {
    return PyModule_Create(&definition);
}
