/*
 * Two numerical methods over callback records, in plain C: nothing here knows Python, and nothing needs the GIL.
 *
 * Both return the status of the first call that failed, and leave its error in `*error` for the owner of the record to
 * raise or to discard; or 0.
 */
#ifndef SOLVERS_H
#define SOLVERS_H

#include "ringback.h"

/* What the callbacks must be. The text is what is asked of Python, and what the record must say, byte for byte. */
#define SLOPE_SIGNATURE "void(f64, [f64], mut [f64])" /* t, y, dy/dt */
#define DENSITY_SIGNATURE "f64([f64])"

/*
 * The classical Runge-Kutta method of order 4: `steps` steps from t0 to t1, y is overwritten. `work` has room for 5 n
 * numbers. (W. Kutta, Zeitschrift fuer Mathematik und Physik 46, 1901.)
 */
int32_t rk4(const struct ringback_callback *slope, double t0, double t1, size_t steps, double *y, size_t n, double *work,
            void **error);

/* The sum over i < count of weights[i] f(points[i]), where each point has `dim` coordinates. */
int32_t weighted_sum(const struct ringback_callback *density, const double *points, const double *weights, size_t count,
                     size_t dim, double *sum, void **error);

#endif
