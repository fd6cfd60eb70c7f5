#include "store_audit.h"

#include "store_impl.h"

/* At most STORE_AUDIT_TEXT_MAX bytes, cut before a character. */
static struct span
short_text(struct span t)
{
    if (t.n <= STORE_AUDIT_TEXT_MAX)
        return t;
    t.n = STORE_AUDIT_TEXT_MAX;
    while (t.n > 0 && ((unsigned char)t.p[t.n] & 0xc0) == 0x80)
        t.n--;
    return t;
}

int
store_audit_put(struct store *s, const struct store_audit *r, struct err *e)
{
    int64_t n = 0;

    if (store_need_write(s, e) < 0 || sql_number(s, &n, e, "SELECT max(n) FROM audit", "") < 0)
        return -1;
    return sql_do(s, e,
                  "INSERT INTO audit (n, at, principal, who, act, what, result) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  "iiitttt", n + 1, r->at_us ? r->at_us : store_now(s), (int64_t)r->principal,
                  short_text(r->who), short_text(r->act), short_text(r->what),
                  short_text(r->result));
}

static bool
keep(struct arena *a, struct span *t, struct span from)
{
    *t = arena_span(a, from);
    return from.n == 0 || t->p;
}

int
store_audit_list(struct store *s, uint64_t before, uint32_t limit, struct arena *a,
                 struct store_audit **out, size_t *n, struct err *e)
{
    struct store_audit *list;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    list = arena_zero(a, (size_t)limit + 1, sizeof *list);
    q = list ? sql_ask(s, e,
                       "SELECT n, at, principal, who, act, what, result FROM audit WHERE n < ?1 "
                       "ORDER BY n DESC LIMIT ?2",
                       "ii", before ? (int64_t)before : INT64_MAX, (int64_t)limit)
             : NULL;
    if (!q)
        return list ? -1 : err_set(e, ERR_MEMORY, "no memory for the audit trail");
    while ((rc = sql_step(s, q, e)) == 1 && count < limit) {
        struct store_audit *r = &list[count++];

        r->n = (uint64_t)sql_int(s, q, 0);
        r->at_us = sql_int(s, q, 1);
        r->principal = (uint32_t)sql_int(s, q, 2);
        if (!keep(a, &r->who, sql_bytes(s, q, 3)) || !keep(a, &r->act, sql_bytes(s, q, 4)) ||
            !keep(a, &r->what, sql_bytes(s, q, 5)) || !keep(a, &r->result, sql_bytes(s, q, 6))) {
            sql_end(s, q);
            return err_set(e, ERR_MEMORY, "no memory for the audit trail");
        }
    }
    if (rc == 1)
        sql_end(s, q);
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

int
store_served_put(struct store *s, const struct store_served *m, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    return sql_do(s, e,
                  "INSERT INTO served (audience, principal, until, at) VALUES (?1, ?2, ?3, ?4) "
                  "ON CONFLICT (audience, principal) DO UPDATE SET until = excluded.until, "
                  "at = excluded.at WHERE excluded.until > served.until",
                  "iiii", (int64_t)m->audience, (int64_t)m->principal, m->until_us, m->when_us) < 0
               ? -1
               : sql_do(s, e,
                        "INSERT INTO exposed (audience, noted, principal, until, at) "
                        "SELECT audience, noted, ?2, ?3, ?4 FROM exposed WHERE audience = ?1 AND "
                        "noted >= ?5 AND principal = 0 AND until <= ?3 "
                        "ON CONFLICT (audience, noted, principal) DO UPDATE SET "
                        "until = max(until, excluded.until)",
                        "iiiii", (int64_t)m->audience, (int64_t)m->principal, m->until_us,
                        m->when_us, m->since_us);
}

/* Rows of (principal, audience, until, at) of a statement that is bound already. */
static int
take_marks(struct store *s, struct db_stmt *q, size_t room, struct arena *a,
           struct store_served **out, size_t *n, struct err *e)
{
    struct store_served *list = arena_zero(a, room + 1, sizeof *list);
    size_t count = 0;
    int rc;

    if (!list) {
        sql_end(s, q);
        return err_set(e, ERR_MEMORY, "no memory for served marks");
    }
    while ((rc = sql_step(s, q, e)) == 1 && count < room)
        list[count++] = (struct store_served){.principal = (uint32_t)sql_int(s, q, 0),
                                              .audience = (uint32_t)sql_int(s, q, 1),
                                              .until_us = sql_int(s, q, 2),
                                              .when_us = sql_int(s, q, 3)};
    if (rc == 1)
        sql_end(s, q);
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

int
store_served_list(struct store *s, uint32_t audience, struct arena *a, struct store_served **out,
                  size_t *n, struct err *e)
{
    int64_t total = 0;
    struct db_stmt *q;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &total, e, "SELECT count(*) FROM served WHERE ?1 = 0 OR audience = ?1", "i",
                   (int64_t)audience) < 0)
        return -1;
    q = sql_ask(s, e,
                "SELECT principal, audience, until, at FROM served "
                "WHERE ?1 = 0 OR audience = ?1 ORDER BY principal, audience",
                "i", (int64_t)audience);
    return q ? take_marks(s, q, (size_t)total, a, out, n, e) : -1;
}

int
store_exposed_put(struct store *s, uint32_t audience, int64_t from_us, struct err *e)
{
    const int64_t now = store_now(s);

    if (store_need_write(s, e) < 0)
        return -1;
    /* principal 0: that something was erased, for the marks that are still on their way */
    if (sql_do(s, e,
               "INSERT INTO exposed (audience, noted, principal, until, at) VALUES (?1, ?2, 0, ?3, "
               "?2) ON CONFLICT (audience, noted, principal) DO UPDATE SET "
               "until = min(until, excluded.until)",
               "iii", (int64_t)audience, now, from_us) < 0)
        return -1;
    return sql_do(s, e,
                  "INSERT INTO exposed (audience, noted, principal, until, at) "
                  "SELECT audience, ?2, principal, until, at FROM served "
                  "WHERE audience = ?1 AND until >= ?3 "
                  "ON CONFLICT (audience, noted, principal) DO UPDATE SET until = excluded.until, "
                  "at = excluded.at",
                  "iii", (int64_t)audience, now, from_us);
}

int
store_exposed_list(struct store *s, uint32_t audience, int64_t date_us, int64_t erased_us,
                   struct arena *a, struct store_served **out, size_t *n, struct err *e)
{
    static const char count[] = "SELECT count(DISTINCT principal) FROM exposed "
                                "WHERE audience = ?1 AND noted <= ?2 AND until >= ?3 "
                                "AND principal > 0";
    int64_t total = 0;
    struct db_stmt *q;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &total, e, count, "iii", (int64_t)audience, erased_us, date_us) < 0)
        return -1;
    q = sql_ask(s, e,
                "SELECT principal, audience, max(until), max(at) FROM exposed "
                "WHERE audience = ?1 AND noted <= ?2 AND until >= ?3 AND principal > 0 "
                "GROUP BY principal, audience ORDER BY principal",
                "iii", (int64_t)audience, erased_us, date_us);
    return q ? take_marks(s, q, (size_t)total, a, out, n, e) : -1;
}
