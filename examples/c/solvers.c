#include "solvers.h"

#include <string.h>

/* The types that follow from the signatures: result, error, the parameters, bound data. */
typedef int32_t (*slope_entry)(void *, void **, double, const struct ringback_view1 *, const struct ringback_view1 *,
                               const void *);
typedef int32_t (*density_entry)(double *, void **, const struct ringback_view1 *, const void *);

static struct ringback_view1 view_of(const double *data, size_t n) {
    struct ringback_view1 view;
    /* The field is not const because some views are written to; this one is, only if the signature says `mut`. */
    memcpy(&view.data, &data, sizeof data);
    view.shape[0] = (intptr_t)n;
    view.strides[0] = (intptr_t)sizeof(double);
    return view;
}

int32_t rk4(const struct ringback_callback *slope, double t0, double t1, size_t steps, double *y, size_t n, double *work,
            void **error) {
    static const double at[4] = {0.0, 0.5, 0.5, 1.0}, share[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    double *stage = work + 4 * n, h = (t1 - t0) / (double)steps;
    int64_t nothing; /* a result of type void still has a place of 8 bytes */
    slope_entry entry;
    size_t step, s, i;

    /* ISO C has no cast from a data pointer to a function pointer; the bytes are the same wherever there are records. */
    memcpy(&entry, &slope->entry, sizeof entry);
    for (step = 0; step < steps; step++) {
        for (s = 0; s < 4; s++) {
            struct ringback_view1 in = view_of(stage, n), out = view_of(work + s * n, n);
            int32_t status;
            for (i = 0; i < n; i++)
                stage[i] = s == 0 ? y[i] : y[i] + at[s] * h * work[(s - 1) * n + i];
            *error = NULL;
            status = entry(&nothing, error, t0 + ((double)step + at[s]) * h, &in, &out, slope->env);
            if (status != 0)
                return status;
        }
        for (i = 0; i < n; i++)
            for (s = 0; s < 4; s++)
                y[i] += share[s] * h * work[s * n + i];
    }
    return 0;
}

int32_t weighted_sum(const struct ringback_callback *density, const double *points, const double *weights, size_t count,
                     size_t dim, double *sum, void **error) {
    density_entry entry;
    size_t i;

    memcpy(&entry, &density->entry, sizeof entry);
    *sum = 0.0;
    for (i = 0; i < count; i++) {
        struct ringback_view1 point = view_of(points + i * dim, dim);
        double value;
        int32_t status;
        *error = NULL;
        status = entry(&value, error, &point, density->env);
        if (status != 0)
            return status;
        *sum += weights[i] * value;
    }
    return 0;
}
