#include "offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringback.h"

/* What one record owns: a function of this file, and the numbers bound to it. `env` and `private_data` point to it. */
struct bound {
    const char *signature;
    const void *entry;
    double low, high;
    size_t count;
    double numbers[]; /* C99; the module is C11 */
};

/* The errors of both functions. A producer that had only one kind could do without memory: any pointer is an error. */
struct failure {
    char text[120];
};

static int32_t fail(void **error, const char *format, double a, double b) {
    struct failure *failure = malloc(sizeof *failure);
    if (failure != NULL)
        snprintf(failure->text, sizeof failure->text, format, a, b);
    *error = failure; /* NULL is allowed: a failure that cannot say why */
    return 1;
}

static int32_t polynomial(double *ret, void **error, double x, const void *env) {
    const struct bound *bound = env;
    size_t i;
    /* Written so that NaN is outside as well. */
    if (!(x >= bound->low && x <= bound->high))
        return fail(error, "x = %g is not in the domain, which ends at %g", x, x < bound->low ? bound->low : bound->high);
    *ret = 0.0;
    for (i = bound->count; i-- > 0;)
        *ret = *ret * x + bound->numbers[i];
    return 0;
}

static int32_t normal(double *ret, void **error, const struct ringback_view1 *x, const struct ringback_view1 *gradient,
                      const void *env) {
    const struct bound *bound = env;
    size_t i;
    *ret = 0.0;
    if (x->shape[0] != (intptr_t)bound->count || gradient->shape[0] != x->shape[0])
        return fail(error, "%g coordinates expected, found %g", (double)bound->count, (double)x->shape[0]);
    for (i = 0; i < bound->count; i++) {
        double d = ((const double *)x->data)[i] - bound->numbers[i];
        ((double *)gradient->data)[i] = -d;
        *ret -= 0.5 * d * d;
    }
    return 0;
}

static void raise_error(const struct ringback_callback *record, void *error) {
    (void)record;
    PyErr_SetString(PyExc_ValueError, ((struct failure *)error)->text);
    free(error);
}

static size_t describe_error(const struct ringback_callback *record, const void *error, char *buffer, size_t size) {
    (void)record;
    /* snprintf cuts, ends with NUL, writes nothing if the size is 0, and returns the whole length: just what is asked. */
    return (size_t)snprintf(buffer, size, "ValueError: %s", ((const struct failure *)error)->text);
}

static void discard_error(const struct ringback_callback *record, void *error) {
    (void)record;
    free(error);
}

/* Any thread, with or without the GIL: no Python here. The struct itself belongs to whoever holds it. */
static void release_record(struct ringback_callback *record) {
    record->release = NULL;
    free(record->private_data);
}

static size_t size_of(const struct bound *bound) {
    return sizeof *bound + bound->count * sizeof *bound->numbers;
}

static void destroy_capsule(PyObject *capsule) {
    /* PyCapsule_IsValid sets no exception, and another one may be on its way. */
    if (PyCapsule_IsValid(capsule, RINGBACK_CAPSULE_NAME)) {
        struct ringback_callback *record = PyCapsule_GetPointer(capsule, RINGBACK_CAPSULE_NAME);
        if (record->release != NULL) /* else a consumer has moved it out */
            record->release(record);
        free(record);
    }
}

#define BOUND_NAME "example_c.bound"

static void destroy_bound(PyObject *capsule) {
    free(PyCapsule_GetPointer(capsule, BOUND_NAME));
}

/* The method `__ringback_callback__(signature=None)`; `self` is a capsule with what is bound. */
static PyObject *offer(PyObject *self, PyObject *args) {
    const struct bound *bound = PyCapsule_GetPointer(self, BOUND_NAME);
    const char *requested = NULL;
    struct ringback_callback *record;
    struct bound *own;
    PyObject *capsule;

    if (bound == NULL || !PyArg_ParseTuple(args, "|z", &requested))
        return NULL;
    if (requested != NULL && strcmp(requested, bound->signature) != 0)
        return PyErr_Format(PyExc_TypeError, "expected a callback %.200s, found %s", requested, bound->signature);
    record = calloc(1, sizeof *record);
    own = malloc(size_of(bound));
    if (record == NULL || own == NULL) {
        free(record);
        free(own);
        return PyErr_NoMemory();
    }
    memcpy(own, bound, size_of(bound));
    record->abi_version = RINGBACK_ABI_VERSION;
    record->size = sizeof *record;
    record->signature = own->signature;
    record->entry = own->entry;
    record->env = own;
    record->raise = raise_error;
    record->describe = describe_error;
    record->discard = discard_error;
    record->release = release_record;
    record->private_data = own;
    capsule = PyCapsule_New(record, RINGBACK_CAPSULE_NAME, destroy_capsule);
    if (capsule == NULL) {
        release_record(record);
        free(record);
    }
    return capsule;
}

static PyMethodDef offer_method = {RINGBACK_CALLBACK_ATTRIBUTE, offer, METH_VARARGS, "The callback record in a capsule."};

/* An object with nothing but the method. (A class of its own would do as well.) Owns `bound`. */
static PyObject *offering(struct bound *bound) {
    PyObject *self, *method, *types, *made = NULL;
    self = PyCapsule_New(bound, BOUND_NAME, destroy_bound);
    if (self == NULL) {
        free(bound);
        return NULL;
    }
    method = PyCFunction_NewEx(&offer_method, self, NULL);
    Py_DECREF(self);
    types = method == NULL ? NULL : PyImport_ImportModule("types");
    if (types != NULL)
        made = PyObject_CallMethod(types, "SimpleNamespace", NULL);
    if (made != NULL && PyObject_SetAttrString(made, RINGBACK_CALLBACK_ATTRIBUTE, method) != 0)
        Py_CLEAR(made);
    Py_XDECREF(types);
    Py_XDECREF(method);
    return made;
}

/* `*entry` is the function's address as a record holds it: see rk4 about the conversion. */
static struct bound *bind(PyObject *sequence, const char *signature, const void *entry, double low, double high) {
    size_t count;
    struct bound *bound;
    double *numbers = numbers_of(sequence, &count);
    if (numbers == NULL)
        return NULL;
    bound = malloc(sizeof *bound + count * sizeof *numbers);
    if (bound == NULL) {
        PyErr_NoMemory();
    } else {
        bound->signature = signature;
        bound->entry = entry;
        bound->low = low;
        bound->high = high;
        bound->count = count;
        memcpy(bound->numbers, numbers, count * sizeof *numbers);
    }
    free(numbers);
    return bound;
}

PyObject *offer_polynomial(PyObject *module, PyObject *args) {
    int32_t (*function)(double *, void **, double, const void *) = polynomial;
    const void *entry;
    PyObject *coefficients;
    double low, high;
    struct bound *bound;
    (void)module;
    if (!PyArg_ParseTuple(args, "Odd", &coefficients, &low, &high))
        return NULL;
    memcpy(&entry, &function, sizeof entry);
    bound = bind(coefficients, "f64(f64)", entry, low, high);
    return bound == NULL ? NULL : offering(bound);
}

PyObject *offer_normal(PyObject *module, PyObject *args) {
    int32_t (*function)(double *, void **, const struct ringback_view1 *, const struct ringback_view1 *, const void *) =
        normal;
    const void *entry;
    PyObject *mean;
    struct bound *bound;
    (void)module;
    if (!PyArg_ParseTuple(args, "O", &mean))
        return NULL;
    memcpy(&entry, &function, sizeof entry);
    bound = bind(mean, "f64([f64], mut [f64])", entry, 0.0, 0.0);
    return bound == NULL ? NULL : offering(bound);
}
