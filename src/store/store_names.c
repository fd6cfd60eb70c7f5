/* Small tables that are kept in memory: types, audiences, streams.  A reader looks for new rows
 * when something was committed (store_begin). */
#include <string.h>

#include "mem.h"
#include "store_impl.h"

#define TYPE_MAX       250   /* bytes of a type's name */
#define TYPES_MAX      65000 /* different ones: a cell of a column block holds two bytes */
#define AUDIENCES_HINT 64

static int
types_add(struct store *s, struct span name, struct err *e)
{
    struct type_name *t = mem_resize(s->types, (s->type_count + 1) * sizeof *t);

    if (!t)
        return err_set(e, ERR_MEMORY, "no memory for types");
    s->types = t;
    t[s->type_count].name = mem_dup(name.p, name.n);
    t[s->type_count].n = name.n;
    if (!t[s->type_count].name)
        return err_set(e, ERR_MEMORY, "no memory for types");
    if (!s->type_map)
        s->type_map = map_new(TYPES_MAX);
    if (!s->type_map || map_put(s->type_map, name, s->type_count + 1, NULL) < 0) {
        mem_free(t[s->type_count].name);
        return err_set(e, ERR_MEMORY, "no memory for types");
    }
    s->type_count++;
    return 0;
}

int
types_load(struct store *s, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (s->types_loaded)
        return 0;
    q = sql_ask(s, e, "SELECT n, name FROM type WHERE n > ?1 ORDER BY n", "i",
                (int64_t)s->type_count);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        if ((uint64_t)sql_int(s, q, 0) != s->type_count + 1) {
            sql_end(s, q);
            return err_set(e, ERR_CORRUPT, "types are not numbered one by one");
        }
        if (types_add(s, sql_bytes(s, q, 1), e) < 0) {
            sql_end(s, q);
            return -1;
        }
    }
    s->types_loaded = rc == 0;
    return rc;
}

struct span
type_text(const struct store *s, uint32_t number)
{
    if (number == 0 || number > s->type_count)
        return (struct span){NULL, 0};
    return span_from(s->types[number - 1].name, s->types[number - 1].n);
}

uint32_t
type_find(const struct store *s, struct span name)
{
    uint64_t n;

    if (s->type_last > 0 && span_eq(name, type_text(s, (uint32_t)s->type_last)))
        return (uint32_t)s->type_last;
    return s->type_map && map_get(s->type_map, name, &n) ? (uint32_t)n : 0;
}

/* 1 and the number; 0: there is no such type, and it is not to be made. */
int
type_number(struct store *s, struct span name, bool make, uint32_t *out, struct err *e)
{
    uint32_t n = type_find(s, name);

    if (n == 0) {
        if (types_load(s, e) < 0)
            return -1;
        n = type_find(s, name);
    }
    if (n == 0 && !make)
        return 0;
    if (n == 0) {
        if (name.n == 0 || name.n > TYPE_MAX || s->type_count >= TYPES_MAX)
            return err_set(e, ERR_LIMIT, "a type's name is too long, or there are too many types");
        if (types_add(s, name, e) < 0)
            return -1;
        n = (uint32_t)s->type_count;
        if (sql_do(s, e, "INSERT INTO type (n, name) VALUES (?1, ?2)", "it", (int64_t)n, name) < 0)
            return -1;
    }
    *out = n;
    s->type_last = n;
    return 1;
}

/* ---- audiences ---- */

static int
auds_fill(struct store *s, struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e,
                "SELECT n, label, exercise, grp, generation, person, next_seq, newest_p, living "
                "FROM audience ORDER BY n",
                "");
    int rc;

    if (!q)
        return -1;
    s->aud_count = 0;
    while ((rc = sql_step(s, q, e)) == 1) {
        struct aud *a;

        if ((uint64_t)sql_int(s, q, 0) != s->aud_count + 1) {
            sql_end(s, q);
            return err_set(e, ERR_CORRUPT, "audiences are not numbered one by one");
        }
        a = mem_resize(s->auds, (s->aud_count + 1) * sizeof *a);
        if (!a) {
            sql_end(s, q);
            return err_set(e, ERR_MEMORY, "no memory for audiences");
        }
        s->auds = a;
        a[s->aud_count++] = (struct aud){.a = {.number = (uint32_t)sql_int(s, q, 0),
                                               .label = (enum tlp)sql_int(s, q, 1),
                                               .exercise = sql_int(s, q, 2) != 0,
                                               .group = (uint32_t)sql_int(s, q, 3),
                                               .generation = (uint32_t)sql_int(s, q, 4),
                                               .person = (uint32_t)sql_int(s, q, 5)},
                                         .next_seq = (uint64_t)sql_int(s, q, 6),
                                         .newest_p = (uint64_t)sql_int(s, q, 7),
                                         .rows = (uint64_t)sql_int(s, q, 8)};
    }
    return rc;
}

/* The writer's copy is the truth until an abort; a reader's is as old as the commit it was read
 * at. */
int
auds_load(struct store *s, struct err *e)
{
    if (s->aud_rights != 0 && (s->mode == DB_WRITE || s->aud_commits == s->state.commits))
        return 0;
    if (auds_fill(s, e) < 0)
        return -1;
    s->aud_rights = s->state.rights;
    s->aud_commits = s->state.commits;
    s->aud_p = s->state.p;
    return 0;
}

struct aud *
aud_of(struct store *s, uint32_t number)
{
    return number == 0 || number > s->aud_count ? NULL : &s->auds[number - 1];
}

int
auds_save(struct store *s, struct err *e)
{
    for (size_t i = 0; i < s->aud_count; i++) {
        struct aud *a = &s->auds[i];

        if (!a->dirty)
            continue;
        if (sql_do(s, e,
                   "UPDATE audience SET next_seq = ?2, newest_p = ?3, living = ?4 WHERE n = ?1",
                   "iiii", (int64_t)a->a.number, (int64_t)a->next_seq, (int64_t)a->newest_p,
                   (int64_t)a->rows) < 0)
            return -1;
        a->dirty = false;
    }
    return 0;
}

/* ---- streams ---- */

int
strms_load(struct store *s, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (s->strms_loaded)
        return 0;
    q = sql_ask(s, e,
                "SELECT n, publisher, audience, current, own FROM stream WHERE n > ?1 "
                "ORDER BY n",
                "i", (int64_t)s->strm_count);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        struct strm *t = mem_resize(s->strms, (s->strm_count + 1) * sizeof *t);

        if (!t || (uint64_t)sql_int(s, q, 0) != s->strm_count + 1) {
            sql_end(s, q);
            if (!t)
                return err_set(e, ERR_MEMORY, "no memory for streams");
            s->strms = t;
            return err_set(e, ERR_CORRUPT, "streams are not numbered one by one");
        }
        s->strms = t;
        t[s->strm_count++] = (struct strm){.number = (uint32_t)sql_int(s, q, 0),
                                           .publisher = (uint32_t)sql_int(s, q, 1),
                                           .audience = (uint32_t)sql_int(s, q, 2),
                                           .current = sql_int(s, q, 3) != 0,
                                           .own = sql_int(s, q, 4) != 0};
    }
    s->strms_loaded = rc == 0;
    return rc;
}

uint32_t
strm_publisher(struct store *s, uint32_t stream)
{
    return stream == 0 || stream > s->strm_count ? 0 : s->strms[stream - 1].publisher;
}

bool
strm_own(const struct store *s, uint32_t stream)
{
    return stream > 0 && stream <= s->strm_count && s->strms[stream - 1].own;
}
