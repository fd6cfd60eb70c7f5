#include "tlp.h"

#include <ctype.h>
#include "stix_builtin.h"

_Static_assert((int)TLP_CLEAR == (int)STIX_TLP_CLEAR && (int)TLP_GREEN == (int)STIX_TLP_GREEN &&
                   (int)TLP_AMBER == (int)STIX_TLP_AMBER &&
                   (int)TLP_AMBER_STRICT == (int)STIX_TLP_AMBER_STRICT &&
                   (int)TLP_RED == (int)STIX_TLP_RED && TLP_COUNT == STIX_TLPS,
               "one order of strictness");

static const struct {
    const char *name, *code;
} labels[TLP_COUNT] = {
    [TLP_CLEAR] = {"TLP:CLEAR", "clear"}, [TLP_GREEN] = {"TLP:GREEN", "green"},
    [TLP_AMBER] = {"TLP:AMBER", "amber"}, [TLP_AMBER_STRICT] = {"TLP:AMBER+STRICT", "amber+strict"},
    [TLP_RED] = {"TLP:RED", "red"},
};

const char *
tlp_name(enum tlp t)
{
    return (unsigned)t < TLP_COUNT ? labels[t].name : "TLP:?";
}

const char *
tlp_code(enum tlp t)
{
    return (unsigned)t < TLP_COUNT ? labels[t].code : "?";
}

const char *
tlp_marking_id(enum tlp t)
{
    size_t n;
    const struct stix_builtin *b = stix_builtins(&n);

    for (size_t i = 0; i < n; i++) {
        if (b[i].current && (int)b[i].tlp == (int)t) {
            return b[i].id;
        }
    }
    return NULL;
}

/* What stands behind "tlp" and its separators; false where s does not begin with "tlp". */
static bool
after_tlp(struct span s, struct span *rest)
{
    if (!span_eq_nocase(span_part(s, 0, 3), SPAN("tlp"))) {
        return false;
    }
    s = span_part(s, 3, s.n - 3);
    while (s.n > 0 &&
           (s.p[0] == ':' || s.p[0] == '-' || s.p[0] == '_' || s.p[0] == '=' || s.p[0] == ' ')) {
        s = span_part(s, 1, s.n - 1);
    }
    *rest = s;
    return true;
}

bool
tlp_read(struct span s, enum tlp *out)
{
    enum stix_tlp t;
    struct span rest = span_trim(s);

    (void)after_tlp(rest, &rest);
    if (!stix_tlp_read(rest, &t)) {
        return false;
    }
    *out = (enum tlp)t;
    return true;
}

enum tlp_label
tlp_read_label(struct span label, enum tlp *out)
{
    struct span s = span_trim(label);
    struct span rest;

    if (!after_tlp(s, &rest)) {
        return TLP_LABEL_NONE;
    }
    if (tlp_read(s, out)) {
        return TLP_LABEL_READ;
    }
    /* "tlpd-driver" is a word; "tlp", "tlp:x", "tlp+x" claim to be a label. */
    return s.n > 3 && isalnum((unsigned char)s.p[3]) ? TLP_LABEL_NONE : TLP_LABEL_UNCLEAR;
}

enum tlp
tlp_stricter(enum tlp a, enum tlp b)
{
    return a > b ? a : b;
}
