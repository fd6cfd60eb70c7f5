#include "store_sql.h"

#include "store_impl.h"

/* Texts are string constants: the same statement has the same address. */
static struct sql_slot *
slot_of(struct store *s, const char *text)
{
    size_t at = (size_t)(((uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & (SQL_SLOTS - 1);

    while (s->sql[at].text && s->sql[at].text != text)
        at = (at + 1) & (SQL_SLOTS - 1);
    return &s->sql[at];
}

struct db_stmt *
sql_get(struct store *s, const char *text, struct err *e)
{
    struct sql_slot *slot = slot_of(s, text);

    if (slot->text)
        return slot->q;
    if (s->sql_count >= SQL_SLOTS - 1) {
        err_set(e, ERR_INTERNAL, "too many statements");
        return NULL;
    }
    if (s->drv->prepare(s->d, text, &slot->q, e) < 0) {
        s->failed = true;
        return NULL;
    }
    slot->text = text;
    s->sql_count++;
    return slot->q;
}

static void
bind_list(struct store *s, struct db_stmt *q, const char *types, va_list ap)
{
    for (int at = 1; *types; types++, at++)
        switch (*types) {
        case 'i':
            s->drv->bind_int(q, at, va_arg(ap, int64_t));
            break;
        case 't':
            s->drv->bind_text(q, at, va_arg(ap, struct span));
            break;
        case 'b':
            s->drv->bind_blob(q, at, va_arg(ap, struct span));
            break;
        default:
            s->drv->bind_null(q, at);
        }
}

int
sql_step(struct store *s, struct db_stmt *q, struct err *e)
{
    const int rc = s->drv->step(q, e);

    if (rc < 0)
        s->failed = true;
    return rc;
}

int
sql_run(struct store *s, struct db_stmt *q, struct err *e)
{
    return sql_step(s, q, e) < 0 ? -1 : 0;
}

int
sql_do(struct store *s, struct err *e, const char *text, const char *types, ...)
{
    struct db_stmt *q = sql_get(s, text, e);
    va_list ap;

    if (!q)
        return -1;
    va_start(ap, types);
    bind_list(s, q, types, ap);
    va_end(ap);
    return sql_run(s, q, e);
}

struct db_stmt *
sql_ask(struct store *s, struct err *e, const char *text, const char *types, ...)
{
    struct db_stmt *q = sql_get(s, text, e);
    va_list ap;

    if (!q)
        return NULL;
    va_start(ap, types);
    bind_list(s, q, types, ap);
    va_end(ap);
    return q;
}

int
sql_number(struct store *s, int64_t *out, struct err *e, const char *text, const char *types, ...)
{
    struct db_stmt *q = sql_get(s, text, e);
    va_list ap;
    int rc;

    if (!q)
        return -1;
    va_start(ap, types);
    bind_list(s, q, types, ap);
    va_end(ap);
    rc = sql_step(s, q, e);
    if (rc == 1) {
        if (sql_null(s, q, 0))
            rc = 0;
        else
            *out = sql_int(s, q, 0);
        sql_end(s, q);
    }
    return rc;
}

void
sql_end(struct store *s, struct db_stmt *q)
{
    if (q)
        s->drv->reset(q);
}

int64_t
sql_int(struct store *s, struct db_stmt *q, int col)
{
    return s->drv->get_int(q, col);
}

struct span
sql_bytes(struct store *s, struct db_stmt *q, int col)
{
    return s->drv->get_bytes(q, col);
}

bool
sql_null(struct store *s, struct db_stmt *q, int col)
{
    return s->drv->type(q, col) == DB_NULL;
}

void
sql_bind(struct store *s, struct db_stmt *q, int at, int64_t v)
{
    s->drv->bind_int(q, at, v);
}

void
sql_bind_blob(struct store *s, struct db_stmt *q, int at, struct span v)
{
    s->drv->bind_blob(q, at, v);
}

void
sql_bind_null(struct store *s, struct db_stmt *q, int at)
{
    s->drv->bind_null(q, at);
}
