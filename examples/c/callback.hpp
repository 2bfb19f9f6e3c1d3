/*
 * A callback record as a C++ type: ringback::Callback<double(double, ringback::Array<const double>)>. Header only, C++17.
 *
 * A handle owns its record and stays where it is (put it into a std::unique_ptr to hand it on); calls may be made from several threads at once. A failed call
 * throws ringback::Error, which owns what the callee left until it is raised in Python, or dropped. The handle must
 * outlive its errors.
 */
#ifndef RINGBACK_CALLBACK_HPP
#define RINGBACK_CALLBACK_HPP

#include <cstring>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "ringback.h"

namespace ringback {

/* A contiguous array that the callback reads (`Array<const double>`) or may write (`Array<double>`). */
template <class T> struct Array {
    T *data;
    std::size_t size;
};

/* How a C++ type is spelled in a signature, and how it is passed. */
template <class T> struct Passed;
template <> struct Passed<double> {
    static std::string name() { return "f64"; }
    using Abi = double;
    static double pack(double value) { return value; }
    static double abi(const double &packed) { return packed; }
};
template <> struct Passed<std::int64_t> {
    static std::string name() { return "i64"; }
    using Abi = std::int64_t;
    static std::int64_t pack(std::int64_t value) { return value; }
    static std::int64_t abi(const std::int64_t &packed) { return packed; }
};
template <class T> struct Passed<Array<T>> {
    using Element = std::remove_const_t<T>;
    static std::string name() {
        return (std::is_const_v<T> ? "[" : "mut [") + Passed<Element>::name() + "]";
    }
    using Abi = const ringback_view1 *;
    static ringback_view1 pack(Array<T> array) {
        return {const_cast<Element *>(array.data), {static_cast<std::intptr_t>(array.size)}, {sizeof(T)}};
    }
    static Abi abi(const ringback_view1 &packed) { return &packed; }
};

/* What a failed call left. */
class Error : public std::exception {
  public:
    Error(const ringback_callback *record, std::int32_t status, void *error)
        : record_(record), status_(status), error_(error) {}
    Error(Error &&other) noexcept
        : record_(other.record_), status_(other.status_), error_(std::exchange(other.error_, nullptr)) {}
    Error(const Error &) = delete;
    Error &operator=(const Error &) = delete;
    ~Error() override {
        if (error_ != nullptr)
            record_->discard(record_, error_);
    }
    const char *what() const noexcept override { return "a callback failed"; }
    /* True if the function raised, false if the call itself went wrong. */
    bool raised() const { return status_ > 0; }
    std::int32_t status() const { return status_; }
    /* One line of text; needs no GIL. */
    std::string message() const {
        if (error_ == nullptr)
            return "the callback did not say why it failed";
        std::string text(record_->describe(record_, error_, nullptr, 0) + 1, '\0');
        record_->describe(record_, error_, text.data(), text.size());
        text.pop_back();
        return text;
    }
    /* The error, whose owner is now the caller: to be raised in Python, or discarded. */
    void *take() { return std::exchange(error_, nullptr); }

  private:
    const ringback_callback *record_;
    std::int32_t status_;
    void *error_;
};

template <class F> class Callback;

template <class R, class... P> class Callback<R(P...)> {
    static_assert(std::is_void_v<R> || std::is_arithmetic_v<R>);
    using Result = std::conditional_t<std::is_void_v<R>, std::int64_t, R>;
    using Entry = std::int32_t (*)(Result *, void **, typename Passed<P>::Abi..., const void *);

  public:
    /* The text to ask for, and to compare with. */
    static std::string signature() {
        std::string parameters;
        ((parameters += (parameters.empty() ? "" : ", ") + Passed<P>::name()), ...);
        if constexpr (std::is_void_v<R>)
            return "void(" + parameters + ")";
        else
            return Passed<R>::name() + "(" + parameters + ")";
    }

    /* Takes over a record whose version, completeness and signature were checked. */
    explicit Callback(ringback_callback &record) : record_(record) {
        record.release = nullptr;
        std::memcpy(&entry_, &record_.entry, sizeof entry_);
    }
    Callback(const Callback &) = delete;
    Callback &operator=(const Callback &) = delete;
    ~Callback() {
        if (record_.release != nullptr)
            record_.release(&record_);
    }

    R operator()(P... arguments) const { return call(Passed<P>::pack(arguments)...); }
    const ringback_callback &record() const { return record_; }

  private:
    /* What was packed lives here until the call returns. */
    template <class... Packed> R call(const Packed &...packed) const {
        Result result{};
        void *error = nullptr;
        const std::int32_t status = entry_(&result, &error, Passed<P>::abi(packed)..., record_.env);
        if (status != 0)
            throw Error(&record_, status, error);
        if constexpr (!std::is_void_v<R>)
            return result;
    }

    ringback_callback record_;
    Entry entry_;
};

} // namespace ringback

#endif
