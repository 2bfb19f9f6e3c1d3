/*
 * ringback.h: the callback record, version 1.
 *
 * A callback record is one C struct that describes a compiled function: its code, its bound data, and what to do
 * with its errors. Whoever fills one is a producer, whoever calls one is a consumer. They need not be built
 * together, nor know each other's language.
 *
 * The same declarations in Rust are `CallbackRecord` and `RawView` in crates/ringback/src/abi.rs.
 *
 * HOW A RECORD TRAVELS
 *
 * A Python object that stands for a function has a method `__ringback_callback__(signature)`. It takes the canonical
 * signature text that the consumer wants, or None, and returns a PyCapsule whose name is RINGBACK_CAPSULE_NAME and
 * whose pointer is a `struct ringback_callback *`. If the signature does not fit, it raises TypeError.
 *
 * The consumer moves the record out, while it holds the GIL:
 *   1. Check that `abi_version` is RINGBACK_ABI_VERSION and that `size` is at least RINGBACK_RECORD_SIZE.
 *   2. Check that `release`, `entry`, `signature`, `describe` and `discard` are not NULL. A NULL `release` means that
 *      somebody else has moved the record out already.
 *   3. Compare `signature` with the signature that the consumer will call. Never call without this.
 *   4. Copy the struct to memory of its own, and set `release` to NULL in the place it was copied from.
 *   5. Call `release` with the address of the copy, once, when the last call has returned and the last error has
 *      been raised or discarded.
 * The destructor of the capsule calls `release` only if it is not NULL. The functions below get the address of the
 * copy: a producer finds its own data through `private_data`, never by the address of the record.
 *
 * THE CALLING CONVENTION
 *
 *   int32_t entry(R *ret, void **error, A0 a0, A1 a1, ..., const void *env);
 *
 * `env` is the record's `env`. What A0, A1, ... and R are follows from the signature:
 *
 *   signature      parameter                            result, written through `ret`
 *   bool           uint8_t, 0 or 1                      uint8_t; any byte but 0 is true
 *   i8 ... i64     int8_t ... int64_t                   the same
 *   u8 ... u64     uint8_t ... uint64_t                 the same
 *   f32, f64       float, double                        the same
 *   c64, c128      const float *, const double *,       two floats, two doubles:
 *                  to the real and the imaginary part   real part, imaginary part
 *   [T; ...]       const struct ringback_viewN *        not possible
 *   mut [T; ...]   the same; the elements may be        not possible
 *                  written to
 *   *T, *void      T *, void *                          not possible
 *   void           not possible                         nothing; `ret` still points to 8 writable bytes
 *   [T; K]         not possible                         K values of T in a row
 *
 * `ret` is aligned for R. `*error` is NULL before the call. The result is:
 *
 *   0          Success: `ret` is filled, `*error` is as it was.
 *   positive   The function raised an exception.
 *   negative   The call itself went wrong: the bridge failed, not the function. Also what is to end the program, such as
 *              KeyboardInterrupt in a function that runs in the interpreter: nobody goes on after that.
 *
 * After a failure `*error` is NULL, or a pointer that only the producer understands. If it is not NULL, the consumer
 * consumes it exactly once: with `raise` or with `discard`.
 *
 * The code never unwinds and needs no GIL. It may be called from any thread, and from several at once, until
 * the record is released. (A producer that must take the GIL, because its function runs in the interpreter, takes
 * it itself. Its consumers must then not hold the GIL while they wait for other threads that call it.)
 *
 * Arguments live during the call; the code keeps no pointer to them. An array that is `mut` overlaps no other argument.
 */

#ifndef RINGBACK_H
#define RINGBACK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define RINGBACK_BOOL bool
#else
#define RINGBACK_BOOL _Bool
#endif

/* The version of the calling convention and of the record that this header describes. */
#define RINGBACK_ABI_VERSION 1u

/* The name of the capsule that carries a record; the version is part of it. */
#define RINGBACK_CAPSULE_NAME "ringback.callback.v1"

/* The attribute of a Python object that offers a record. */
#define RINGBACK_CALLBACK_ATTRIBUTE "__ringback_callback__"

/*
 * Array arguments of 1 to 4 dimensions.
 *
 *   data     The element at index (0, ..., 0). For an empty array it may be NULL.
 *   shape    Elements along each axis; not negative.
 *   strides  Bytes from one element to the next along each axis; may be negative where the signature says `any`.
 *            Always filled in, also where the layout (C or F) already says what they are.
 *
 * The fields have the width of a pointer, and there is no padding. `data` is aligned for the element type.
 * Elements of type bool are one byte, 0 or 1.
 */
struct ringback_view1 { void *data; intptr_t shape[1]; intptr_t strides[1]; };
struct ringback_view2 { void *data; intptr_t shape[2]; intptr_t strides[2]; };
struct ringback_view3 { void *data; intptr_t shape[3]; intptr_t strides[3]; };
struct ringback_view4 { void *data; intptr_t shape[4]; intptr_t strides[4]; };

/*
 * The callback record. Offsets are for 64-bit platforms, where the whole struct has 80 bytes.
 */
struct ringback_callback {
    /* Offset 0. RINGBACK_ABI_VERSION as the producer knows it. Another number: do not touch the rest. */
    uint32_t abi_version;

    /* Offset 4. sizeof(struct ringback_callback) as the producer knows it. It may be larger than here, if fields were
     * appended since; what is behind the fields that the consumer knows is of no concern to it. */
    uint32_t size;

    /* Offset 8. Canonical signature text in UTF-8, NUL-terminated, such as "f64([f64], mut [f64])". Parameters that are
     * bound are not part of it. If a signature was requested, it is that text, byte for byte. Valid until `release`. The
     * grammar is in docs/signatures.md. Never NULL. */
    const char *signature;

    /* Offset 16. The code: cast it to the function type that the signature asks for. Never NULL. */
    const void *entry;

    /* Offset 24. The block entry, or NULL; a consumer must be able to do without. It maps the function over n points
     * that lie one after another:
     *   int32_t block(size_t n, size_t *failed_at, void **error, const A0 *a0, ..., R *ret, const void *env);
     * On failure `*failed_at` is the index of the first point that failed, and the results before it are filled. `ret`
     * overlaps none of the points. */
    const void *block;

    /* Offset 32. Bound data, to be passed as the last argument of `entry`. What it points to is the producer's own. It
     * may be NULL. Valid until `release`. */
    const void *env;

    /* Offset 40. Makes `error` the current Python exception, and consumes it. The GIL must be held. NULL if the producer
     * knows no Python: then `describe` and `discard` do. */
    void (*raise)(const struct ringback_callback *record, void *error);

    /* Offset 48. Writes one line of UTF-8 text about `error`, such as "ValueError: negative start (in logp, model.py:12)",
     * to `buffer`: at most `size` bytes with the final NUL. `buffer` may be NULL if `size` is 0. Returns the length of the
     * whole text without NUL, which may be more than was written. Does not consume the error. Any thread, no
     * GIL. Never NULL.
     *
     * The parts of a text about an exception: the class is what stands before the first ": ", if that is a name; the place is
     * what stands behind the last " (in ", if it has the form "function, file:line)" and nothing follows; what is between was
     * said. A producer that does not know the place leaves it out. */
    size_t (*describe)(const struct ringback_callback *record, const void *error, char *buffer, size_t size);

    /* Offset 56. Consumes `error` without raising it. Any thread, no GIL. Never NULL. */
    void (*discard)(const struct ringback_callback *record, void *error);

    /* Offset 64. Gives the record back: code and bound data may be gone afterwards. Any thread, with or without the
     * GIL, exactly once. It sets `release` to NULL in the record that it is given. NULL in a record that was moved out. */
    void (*release)(struct ringback_callback *record);

    /* Offset 72. The producer's own. */
    void *private_data;
};

/*
 * The bytes that every record of this version has. A later header may have a larger struct, and the records of older
 * producers still have no more than this: copy what `size` says and no more than there is room for, and zero the rest.
 */
#define RINGBACK_RECORD_SIZE (offsetof(struct ringback_callback, private_data) + sizeof(void *))

/*
 * An exported library: a table of callback records that needs no Python. A shared library has it under the symbol
 * RINGBACK_LIBRARY_SYMBOL, a static one under the name that the header generated beside it declares.
 *
 * The records are constants. A consumer copies the one that it wants, with `release` as it is, and owns the copy; the library
 * stays loaded until every copy is released. `raise` is NULL in all of them. Before any call the consumer must see to it
 * that the CPU has the features that the manifest lists; docs/export.md says how a file is checked before it is loaded.
 */
#define RINGBACK_LIBRARY_VERSION 1u
#define RINGBACK_LIBRARY_SYMBOL "ringback_library_v1"

/* What the library's code allocated and freed, in blocks and in counted objects, while counting was on. */
struct ringback_statistics { size_t allocated, freed, made, destroyed; };

struct ringback_library {
    /* RINGBACK_LIBRARY_VERSION as the exporter knows it. Another number: do not touch the rest. */
    uint32_t version;
    /* sizeof(struct ringback_library) as the exporter knows it. */
    uint32_t size;
    /* UTF-8, not NUL-terminated: see docs/export.md. */
    const char *manifest;
    size_t manifest_size;
    /* Functions, and for each its name and its record. */
    size_t count;
    const char *const *names;
    const struct ringback_callback *const *records;
    /* Turns counting on or off, and gives the counts. */
    struct ringback_statistics (*statistics)(RINGBACK_BOOL counting);
};

#ifdef __cplusplus
}
#endif

#endif /* RINGBACK_H */
