/* C functions of many types, for tests/test_foreign.py and tests/test_interchange.py. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double twice(double x) { return 2.0 * x; }
double scaled(double x, void *data) { return data == NULL ? -x : *(double *)data * x; }
double product(int n, double *x) { double p = 1.0; for (int i = 0; i < n; i++) p *= x[i]; return p; }
double folded(int n, double *x) { double s = 0.0, f = 1.0; for (int i = 0; i < n; i++, f *= 10.0) s += f * x[i]; return s; }
double weighted(int n, double *x, void *data) { return product(n, x) * (data == NULL ? 1.0 : *(double *)data); }
double both(double x, double y) { return x - y; }
double sum(const double *x, size_t n) { double s = 0.0; for (size_t i = 0; i < n; i++) s += x[i]; return s; }
double sum_after(ptrdiff_t n, const double *x) { return sum(x, (size_t)n); }
double trace(const double *a, intptr_t m, intptr_t n) { double s = 0.0; for (intptr_t i = 0; i < m && i < n; i++) s += a[i * n + i]; return s; }
double density(const double *x, size_t n, double *grad, size_t m) {
    double s = 0.0;
    for (size_t i = 0; i < n && i < m; i++) { grad[i] = -x[i]; s -= 0.5 * x[i] * x[i]; }
    return s;
}
void doubled(const double *x, size_t n, double *y, size_t m) { for (size_t i = 0; i < n && i < m; i++) y[i] = 2.0 * x[i]; }
int checked_root(double x, double *y) { if (x < 0.0) return 7; *y = x * x; return 0; }
int checked(double x) { return x < 0.0 ? 5 : 0; }
int64_t next(int64_t i) { return i + 1; }
long long_next(long i) { return i + 1; }
int8_t small(int8_t a, uint8_t b, int16_t c, uint16_t d) { return (int8_t)(a + b + c + d); }
uint16_t unsigned_small(uint16_t x) { return (uint16_t)(x + 1); }
bool positive(double x) { return x > 0.0; }
double chosen(bool which) { return which ? 1.0 : -1.0; }
double many(bool a, int8_t b, uint8_t c, int16_t d, uint16_t e, bool f, int8_t g, uint8_t h, int16_t i, bool j, uint16_t k) {
    return a + 2.0 * b + 3.0 * c + 4.0 * d + 5.0 * e + 6.0 * f + 7.0 * g + 8.0 * h + 9.0 * i + 10.0 * j + 11.0 * k;
}
float half(float x) { return 0.5f * x; }
void nothing(void) {}
double answer(void) { return 42.0; }
int filter(double *x, intptr_t n, double *out, void *data) { (void)data; if (n == 0) return 0; *out = sum(x, (size_t)n); return 1; }
