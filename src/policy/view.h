/*
 * policy/view.h - a view: the audiences that one principal may read on one channel, and from when.
 *
 * There is no read call without one.  What a principal may read of an audience begins in one of
 * two ways: naturally, a row appearing at its own arrival; or by a grant, older rows appearing in
 * a block of arrivals of their own, so that one who polls by added_after misses nothing.
 */
#ifndef JAGA_POLICY_VIEW_H
#define JAGA_POLICY_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "audience.h"
#include "err.h"
#include "may_read.h"
#include "rights.h"

#define VIEW_STEP_US      25         /* arrivals of neighbours in an audience lie this far apart */
#define VIEW_AUDIENCE_MAX (1u << 24) /* a bitmap of a view stays under 2 MB */

/* The rows seq [from_seq, from_seq + n) appear at base_us + VIEW_STEP_US * (seq - from_seq). */
struct view_slice {
    uint64_t from_seq;
    uint64_t n;
    int64_t base_us;
};

/* What opened an audience later than at its beginning.  Rows from natural_from on appear at
 * their own arrival; older ones as the slices written so far say, and not at all where none does.
 * Slices are sorted and apart from each other, and later ones have later arrivals. */
enum view_grant_to { GRANT_ORG = 1, GRANT_PRINCIPAL = 2, GRANT_NOBODY = 3 };

struct view_grant {
    uint32_t audience;
    enum view_grant_to to;
    uint32_t number; /* organisation or principal; 0 for nobody */
    uint64_t natural_from;
    const struct view_slice *slices;
    size_t slice_count;
};

/* Slices are sorted by seq and apart.  Where two grants apply whose slices were written side by
 * side, their dates need not be: whoever pages by date takes each slice as a run of its own. */
struct view_entry {
    struct audience audience;
    uint64_t natural_from;
    const struct view_slice *slices;
    size_t slice_count;
};

struct view {
    const struct view_entry *entries; /* sorted by the audience's number */
    size_t count;
    bool exercise;
    const uint64_t *bits; /* bit n: audience n is in the view */
    size_t bit_words;
};

/* Builds the view of who from all audiences and all grants (any order; others' are passed over).
 * A grant at each level that applies (organisation, principal, a token's owner) must let a row in,
 * and the latest date of them counts.  Everything lives in a.  -1: out of memory, or ERR_CORRUPT
 * when audiences or grants break what is said above. */
int view_build(const struct rights *r, const struct asker *who, const struct audience *audiences,
               size_t audience_count, const struct view_grant *grants, size_t grant_count,
               struct arena *a, struct view *out, struct err *e);

/* The part of a view that is one group's: the collection of that group. */
int view_only_group(const struct view *v, uint32_t group, struct arena *a, struct view *out,
                    struct err *e);

/* NULL: not in the view. */
const struct view_entry *view_find(const struct view *v, uint32_t audience);
bool view_has(const struct view *v, uint32_t audience);

/* When the row (audience, seq), stored at arrival_us, appears in this view; false: never. */
bool view_date(const struct view *v, uint32_t audience, uint64_t seq, int64_t arrival_us,
               int64_t *date_us);
bool view_entry_date(const struct view_entry *en, uint64_t seq, int64_t arrival_us,
                     int64_t *date_us);

#endif
