#include "take.h"

#include <string.h>

/* The method `__ringback_callback__` of the object itself, or of what the package makes of it; a new reference. */
static PyObject *offer_of(PyObject *object, const char *signature) {
    PyObject *package, *made, *offer;
    /* A class has the attribute as well, but only its instances can be called with it. */
    if (!PyType_Check(object)) {
        offer = PyObject_GetAttrString(object, RINGBACK_CALLBACK_ATTRIBUTE);
        if (offer != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return offer;
        PyErr_Clear();
    }
    package = PyImport_ImportModule("ringback");
    if (package == NULL)
        return NULL;
    made = PyObject_CallMethod(package, "_callback_for", "Os", object, signature);
    Py_DECREF(package);
    if (made == NULL)
        return NULL;
    offer = PyObject_GetAttrString(made, RINGBACK_CALLBACK_ATTRIBUTE);
    Py_DECREF(made);
    return offer;
}

/* Why the record cannot be used, or NULL. */
static const char *unusable(const struct ringback_callback *record) {
    if (record->abi_version != RINGBACK_ABI_VERSION)
        return "the callback record has another version than this library";
    if (record->size < RINGBACK_RECORD_SIZE)
        return "the callback record is too short";
    if (record->release == NULL)
        return "the callback record was given away or released already";
    if (record->entry == NULL || record->signature == NULL || record->describe == NULL || record->discard == NULL)
        return "the callback record is not complete";
    return NULL;
}

int take_callback(PyObject *object, const char *signature, struct ringback_callback *record) {
    PyObject *capsule, *offer = offer_of(object, signature);
    struct ringback_callback *offered;
    const char *why;

    if (offer == NULL)
        return -1;
    capsule = PyObject_CallFunction(offer, "s", signature);
    Py_DECREF(offer);
    if (capsule == NULL)
        return -1;
    if (!PyCapsule_IsValid(capsule, RINGBACK_CAPSULE_NAME)) {
        PyErr_SetString(PyExc_TypeError, "__ringback_callback__ must return a PyCapsule named " RINGBACK_CAPSULE_NAME);
        Py_DECREF(capsule);
        return -1;
    }
    offered = PyCapsule_GetPointer(capsule, RINGBACK_CAPSULE_NAME);
    why = unusable(offered);
    if (why != NULL) {
        PyErr_SetString(PyExc_TypeError, why);
        Py_DECREF(capsule);
        return -1;
    }
    /* The move: from here on the copy is the record, and the capsule may go. */
    memset(record, 0, sizeof *record);
    memcpy(record, offered, offered->size < sizeof *record ? offered->size : sizeof *record);
    offered->release = NULL;
    Py_DECREF(capsule);
    if (strcmp(record->signature, signature) != 0) {
        PyErr_Format(PyExc_TypeError, "expected a callback %s, found %.200s", signature, record->signature);
        release_callback(record);
        return -1;
    }
    return 0;
}

void raise_failure(const struct ringback_callback *record, int32_t status, void *error) {
    char text[512];
    if (error == NULL) {
        PyErr_Format(PyExc_RuntimeError, "the callback failed with status %d and did not say why", (int)status);
    } else if (record->raise != NULL) {
        record->raise(record, error);
        if (PyErr_Occurred() == NULL)
            PyErr_SetString(PyExc_RuntimeError, "a callback failed, but its producer raised no exception");
    } else {
        record->describe(record, error, text, sizeof text);
        record->discard(record, error);
        PyErr_SetString(PyExc_RuntimeError, text);
    }
}

void release_callback(struct ringback_callback *record) {
    if (record->release != NULL)
        record->release(record);
}
