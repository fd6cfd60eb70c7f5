#include "stix_select.h"

#define COMPONENT_MAX 250 /* characters of a name: STIX 2.1 sections 2.3 and 3.1 */

/* "[12]" as a number; indexes beyond what a list can hold are no syntax error, only absent. */
static bool
index_read(struct span s, uint64_t *out)
{
    return s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' &&
           span_u64(span_part(s, 1, s.n - 2), UINT32_MAX, out);
}

static bool
name_ok(struct span s)
{
    if (s.n == 0 || s.n > COMPONENT_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool
stix_selector_ok(struct span s)
{
    struct span part;
    uint64_t n;
    bool first = true;
    if (s.n == 0 || s.p[s.n - 1] == '.')
        return false;
    while (span_split(&s, '.', &part)) {
        if (first ? !name_ok(part) : !name_ok(part) && !index_read(part, &n))
            return false;
        first = false;
    }
    return true;
}

const struct json *
stix_select_within(const struct json *o, struct span selector, size_t *steps)
{
    struct span part;
    if (!stix_selector_ok(selector))
        return NULL;
    while (o != NULL && span_split(&selector, '.', &part)) {
        uint64_t n;
        if (o->count > *steps) {
            *steps = 0;
            return NULL;
        }
        *steps -= o->count;
        if (index_read(part, &n)) {
            if (o->type != JSON_ARRAY || n >= o->count)
                return NULL;
            for (o = o->child; o != NULL && n != 0; n--)
                o = o->next;
        } else {
            o = json_get_span(o, part);
        }
    }
    return o;
}

const struct json *
stix_select(const struct json *o, struct span selector)
{
    size_t steps = SIZE_MAX;
    return stix_select_within(o, selector, &steps);
}
