// The one C++ file of this program.  No exception leaves it: it is compiled without them.
#include "simd.h"

#include <charconv>
#include <cmath>
#include <memory>
#include <new>
#include <simdjson.h>

namespace
{
// Bytes of text for which room is kept between calls: 8 MiB of positions, touched as far as used.
constexpr size_t KEEP = size_t{2} << 20;
constexpr size_t FIRST = size_t{16} << 10;
constexpr size_t DEPTH = 1; // its second stage, which alone needs depth, is never run
} // namespace

struct simd {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> impl;
};

struct simd *
simd_new(void)
{
    struct simd *s = new (std::nothrow) simd;

    if (s == nullptr)
        return nullptr;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            FIRST, DEPTH, s->impl) != simdjson::SUCCESS) {
        delete s;
        return nullptr;
    }
    return s;
}

void
simd_free(struct simd *s)
{
    delete s;
}

enum simd_result
simd_index(struct simd *s, const char *text, size_t n, const uint32_t **at, size_t *count)
{
    if (n > s->impl->capacity()) {
        size_t capacity = FIRST;

        while (capacity < n)
            capacity *= 2;
        if (s->impl->set_capacity(capacity) != simdjson::SUCCESS)
            return SIMD_MEMORY;
    }
    switch (s->impl->stage1(reinterpret_cast<const uint8_t *>(text), n,
                            simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
        break;
    case simdjson::EMPTY:
        return SIMD_EMPTY;
    case simdjson::UTF8_ERROR:
        return SIMD_UTF8;
    case simdjson::UNESCAPED_CHARS:
        return SIMD_CONTROL;
    case simdjson::UNCLOSED_STRING:
        return SIMD_UNCLOSED;
    case simdjson::MEMALLOC:
        return SIMD_MEMORY;
    default:
        return SIMD_OTHER;
    }
    *at = s->impl->structural_indexes.get();
    *count = s->impl->n_structural_indexes;
    return SIMD_OK;
}

void
simd_shrink(struct simd *s)
{
    // Should this fail, the capacity is 0 and the next call asks again.
    if (s->impl->capacity() > KEEP)
        (void)s->impl->set_capacity(FIRST);
}

// Whether a number that from_chars finds out of range is too large rather than too small: by the
// power of ten of its first digit that is not 0.
static bool
too_large(const char *p, const char *end)
{
    long first = 0; // power of ten of the first such digit
    long exponent = 0;
    bool seen = false;
    bool point = false;

    if (p < end && *p == '-')
        p++;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.')
            point = true;
        else if (!seen && *p != '0')
            seen = true;
        else if (seen && !point)
            first++;
        if (!seen && point)
            first--;
    }
    if (p < end) {
        bool minus = false;

        p++;
        if (p < end && (*p == '-' || *p == '+'))
            minus = *p++ == '-';
        for (; p < end && exponent < 100000000; p++)
            exponent = exponent * 10 + (*p - '0');
        if (minus)
            exponent = -exponent;
    }
    return first + exponent > 0;
}

int
simd_double_read(const char *text, size_t n, double *out)
{
    double v = 0;
    auto r = std::from_chars(text, text + n, v);

    if (r.ec == std::errc::result_out_of_range) {
        if (too_large(text, text + n))
            return 1;
        *out = text[0] == '-' ? -0.0 : 0.0;
        return 0;
    }
    if (r.ec != std::errc() || r.ptr != text + n)
        return -1;
    if (std::isinf(v))
        return 1;
    *out = v;
    return 0;
}

size_t
simd_double_print(double v, char *out)
{
    auto r = std::to_chars(out, out + 32, v, std::chars_format::scientific);

    return r.ec == std::errc() ? static_cast<size_t>(r.ptr - out) : 0;
}
