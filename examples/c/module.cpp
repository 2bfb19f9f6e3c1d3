// The extension module example_cpp: gradient descent from several starting points at once, one thread each.
#include <optional>
#include <thread>
#include <vector>

extern "C" {
#include "take.h"
}
#include "callback.hpp"

namespace {

using Objective = ringback::Callback<double(ringback::Array<const double>, ringback::Array<double>)>;

void descend(const Objective &f, std::vector<double> &x, double rate, long steps) {
    std::vector<double> gradient(x.size());
    for (long i = 0; i < steps; i++) {
        f({x.data(), x.size()}, {gradient.data(), gradient.size()});
        for (std::size_t j = 0; j < x.size(); j++)
            x[j] -= rate * gradient[j];
    }
}

// descend(f, starts, rate, steps) -> the end points; f(x, gradient) writes the gradient and returns the value.
PyObject *py_descend(PyObject *, PyObject *args) {
    PyObject *function, *list;
    double rate;
    long steps;
    if (!PyArg_ParseTuple(args, "OO!dl", &function, &PyList_Type, &list, &rate, &steps))
        return nullptr;
    std::vector<std::vector<double>> points;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        PyObject *start = PyList_GetItem(list, i);
        if (!PyList_Check(start)) {
            PyErr_SetString(PyExc_TypeError, "starts must be a list of lists of numbers");
            return nullptr;
        }
        points.emplace_back();
        for (Py_ssize_t j = 0; j < PyList_Size(start); j++)
            points.back().push_back(PyFloat_AsDouble(PyList_GetItem(start, j)));
    }
    if (PyErr_Occurred() != nullptr)
        return nullptr;

    ringback_callback record;
    if (take_callback(function, Objective::signature().c_str(), &record) != 0)
        return nullptr;
    const Objective f(record);
    // One place a thread: of several errors one is raised, the others are discarded with the vector.
    std::vector<std::optional<ringback::Error>> errors(points.size());
    Py_BEGIN_ALLOW_THREADS
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < points.size(); i++)
        threads.emplace_back([&, i] {
            try {
                descend(f, points[i], rate, steps);
            } catch (ringback::Error &error) {
                errors[i].emplace(std::move(error));
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    Py_END_ALLOW_THREADS
    for (std::optional<ringback::Error> &error : errors)
        if (error) {
            raise_failure(&f.record(), error->status(), error->take());
            return nullptr;
        }

    PyObject *result = PyList_New(0);
    for (const std::vector<double> &point : points) {
        PyObject *row = PyList_New(0);
        for (double x : point) {
            PyObject *number = PyFloat_FromDouble(x);
            PyList_Append(row, number);
            Py_DECREF(number);
        }
        PyList_Append(result, row);
        Py_DECREF(row);
    }
    return result;
}

// describe(f, x) -> None, or (whether the function raised, the text of its error), which needs no exception.
PyObject *py_describe(PyObject *, PyObject *args) {
    PyObject *function;
    double x;
    if (!PyArg_ParseTuple(args, "Od", &function, &x))
        return nullptr;
    using Scalar = ringback::Callback<double(double)>;
    ringback_callback record;
    if (take_callback(function, Scalar::signature().c_str(), &record) != 0)
        return nullptr;
    const Scalar f(record);
    try {
        f(x);
    } catch (const ringback::Error &error) {
        return Py_BuildValue("(Os)", error.raised() ? Py_True : Py_False, error.message().c_str());
    }
    Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"descend", py_descend, METH_VARARGS, "descend(f, starts, rate, steps) -> end points; f(x, gradient) -> value."},
    {"describe", py_describe, METH_VARARGS, "describe(f, x): (raised?, text) if f(x) fails."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "example_cpp", "Callbacks in C++.", -1, methods, nullptr, nullptr, nullptr, nullptr,
};

} // namespace

PyMODINIT_FUNC PyInit_example_cpp() { return PyModule_Create(&definition); }
