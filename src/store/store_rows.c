#include "store_rows.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define ROWS_MAX   65536 /* of one table: then what is gathered is inserted early */
#define ROOM_MIN   256
#define WIDE_MAX   64 /* publications: more save nothing, and these stay in the processor's cache */
#define DIGIT_BITS 11
#define RADIX_MIN  512 /* rows: below that comparing is faster */
#define MAY_SHIFT  18  /* bits, by number, that say which keys are gathered: sixteen for each row */

struct value_row {
    int64_t gen;
    uint64_t begins[2]; /* the key's first sixteen bytes: most comparisons end there */
    struct span key;
    int64_t p;
    uint32_t audience;
};

/* The row as it is gathered, with its id beside it. */
struct wide_row {
    struct rows_wide w;
    char id[ID_BYTES_MAX + 2];
};

struct rows {
    struct {
        struct rows_narrow *list;
        size_t n, room;
    } narrow[ROWS_TABLES];
    struct rows_narrow *work; /* for sorting */
    size_t work_room;
    struct value_row *values;
    size_t value_n, value_room;
    struct wide_row wide[WIDE_MAX];
    size_t wide_n;
    uint64_t may[(1u << MAY_SHIFT) / 64];
};

static const struct db_into into[ROWS_TABLES] = {
    [ROWS_IDENT] = {"ident", "gen, key, n", 3},
    [ROWS_TERM] = {"term", "gen, key, p, audience", 4},
    [ROWS_EDGE] = {"edge", "gen, node, kind, p, audience", 5},
    [ROWS_POSTING] = {"posting", "kind, audience, p", 3},
};
static const struct db_into into_value = {"value", "gen, key, p, audience", 4};
static const struct db_into into_wide = {
    "publication", ROW_COLUMNS ", d, salt, gversion, id, bytes", ROW_COLUMN_COUNT + 5};
static_assert(ROW_COLUMN_COUNT + 5 <= DB_COLUMNS_MAX, "a publication is inserted like other rows");

static struct rows *
rows_of(struct store *s, struct err *e)
{
    if (!s->rows && !(s->rows = mem_zero(1, sizeof *s->rows)))
        err_set(e, ERR_MEMORY, "no memory for a commit");
    return s->rows;
}

void
rows_free(struct rows *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < ROWS_TABLES; i++)
        mem_free(r->narrow[i].list);
    mem_free(r->work);
    mem_free(r->values);
    mem_free(r);
}

void
rows_drop(struct store *s)
{
    if (!s->rows)
        return;
    if (s->rows->narrow[ROWS_IDENT].n > 0)
        memset(s->rows->may, 0, sizeof s->rows->may);
    for (size_t i = 0; i < ROWS_TABLES; i++)
        s->rows->narrow[i].n = 0;
    s->rows->value_n = 0;
    s->rows->wide_n = 0;
}

/* Room for one more; NULL: the list stays as it is. */
static void *
grown(void *list, size_t *room, size_t n, size_t size, struct err *e)
{
    const size_t more = *room ? 2 * *room : ROOM_MIN;
    void *p;

    if (n < *room)
        return list;
    p = mem_resize(list, more * size);
    if (p)
        *room = more;
    else
        err_set(e, ERR_MEMORY, "no memory for a commit");
    return p;
}

static uint32_t
may_bit(int64_t key)
{
    return (uint32_t)key & ((1u << MAY_SHIFT) - 1);
}

bool
rows_ident_may(const struct store *s, int64_t key)
{
    const uint32_t bit = may_bit(key);

    return s->rows && (s->rows->may[bit >> 6] >> (bit & 63) & 1);
}

int
rows_add(struct store *s, enum rows_table t, const struct rows_narrow *row, struct err *e)
{
    struct rows *r = rows_of(s, e);
    void *list;

    if (!r || (r->narrow[t].n == ROWS_MAX && rows_flush(s, e) < 0))
        return -1;
    list = grown(r->narrow[t].list, &r->narrow[t].room, r->narrow[t].n, sizeof *row, e);
    if (!list)
        return -1;
    r->narrow[t].list = list;
    r->narrow[t].list[r->narrow[t].n++] = *row;
    if (t == ROWS_IDENT)
        r->may[may_bit(row->key) >> 6] |= UINT64_C(1) << (may_bit(row->key) & 63);
    return 0;
}

int
rows_add_value(struct store *s, int64_t gen, struct span key, int64_t p, uint32_t audience,
               struct err *e)
{
    struct rows *r = rows_of(s, e);
    uint64_t begins[2] = {0};
    void *list;

    if (!r || (r->value_n == ROWS_MAX && rows_flush(s, e) < 0))
        return -1;
    list = grown(r->values, &r->value_room, r->value_n, sizeof *r->values, e);
    if (!list)
        return -1;
    if (key.n > 0)
        memcpy(begins, key.p, key.n < sizeof begins ? key.n : sizeof begins);
    r->values = list;
    r->values[r->value_n++] =
        (struct value_row){gen, {be64toh(begins[0]), be64toh(begins[1])}, key, p, audience};
    return 0;
}

int
rows_add_wide(struct store *s, const struct rows_wide *row, struct err *e)
{
    struct rows *r = rows_of(s, e);
    struct wide_row *x;

    if (!r || (r->wide_n == WIDE_MAX && rows_flush_wide(s, e) < 0))
        return -1;
    x = &r->wide[r->wide_n];
    if (row->id.n > sizeof x->id)
        return err_set(e, ERR_INTERNAL, "an id is too long");
    x->w = *row;
    if (row->id.n > 0)
        memcpy(x->id, row->id.p, row->id.n);
    x->w.id.p = x->id;
    r->wide_n++;
    return 0;
}

/* ---- sorting ---- */

static int
by_columns(const void *a, const void *b)
{
    const struct rows_narrow *x = a, *y = b;

    if (x->gen != y->gen)
        return x->gen < y->gen ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->p > y->p) - (x->p < y->p);
}

/* Columns after p, in which rows come, from the last of a table's key to the first.  Signed ones
 * keep their order as unsigned ones. */
enum column { COLUMN_KIND, COLUMN_KEY, COLUMN_GEN };

static inline uint64_t
column_of(const struct rows_narrow *x, enum column c)
{
    return c == COLUMN_KIND  ? x->kind
           : c == COLUMN_KEY ? (uint64_t)x->key ^ UINT64_C(1) << 63
                             : (uint64_t)x->gen ^ UINT64_C(1) << 63;
}

/* Sorts by one column and leaves rows that are equal in it as they are: a pass from list to work,
 * and back, for each digit in which rows differ.  Returns the one that holds the result. */
static inline struct rows_narrow *
sort_column(struct rows_narrow *list, struct rows_narrow *work, size_t n, enum column c)
{
    const uint64_t mask = (1u << DIGIT_BITS) - 1;
    uint64_t some = 0, all = UINT64_MAX;

    for (size_t i = 0; i < n; i++) {
        some |= column_of(&list[i], c);
        all &= column_of(&list[i], c);
    }
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        uint32_t at[1u << DIGIT_BITS] = {0}, sum = 0;
        struct rows_narrow *t = work;

        if (((some ^ all) >> shift & mask) == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            at[column_of(&list[i], c) >> shift & mask]++;
        for (size_t i = 0; i <= mask; i++) {
            const uint32_t count = at[i];

            at[i] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            work[at[column_of(&list[i], c) >> shift & mask]++] = list[i];
        work = list;
        list = t;
    }
    return list;
}

/* By gen, key, kind and p.  What is large comes in the order of p; then comparing costs more. */
static struct rows_narrow *
sort_narrow(struct rows *r, struct rows_narrow *list, size_t n)
{
    struct rows_narrow *work = r->work;
    bool rising = n <= r->work_room && n >= RADIX_MIN;

    for (size_t i = 1; i < n && rising; i++)
        rising = list[i].p >= list[i - 1].p;
    if (!rising) {
        qsort(list, n, sizeof *list, by_columns);
        return list;
    }
    for (enum column c = COLUMN_KIND; c <= COLUMN_GEN; c++) {
        struct rows_narrow *sorted = sort_column(list, work, n, c);

        work = sorted == list ? work : list;
        list = sorted;
    }
    return list;
}

/* ---- inserting ---- */

static int
by_key(const void *a, const void *b)
{
    const struct value_row *x = a, *y = b;
    int c;

    if (x->gen != y->gen)
        return x->gen < y->gen ? -1 : 1;
    for (int i = 0; i < 2; i++)
        if (x->begins[i] != y->begins[i])
            return x->begins[i] < y->begins[i] ? -1 : 1;
    c = span_cmp(x->key, y->key);
    return c ? c : (x->p > y->p) - (x->p < y->p);
}

static void
narrow_cell(const void *ctx, size_t at, unsigned column, struct db_cell *out)
{
    const struct rows_narrow *x = (const struct rows_narrow *)ctx + at;

    out->type = DB_INT;
    out->n = column == 0 ? x->gen : column == 1 ? x->key : column == 2 ? x->p : x->audience;
}

static void
edge_cell(const void *ctx, size_t at, unsigned column, struct db_cell *out)
{
    const struct rows_narrow *x = (const struct rows_narrow *)ctx + at;

    if (column == 2)
        *out = (struct db_cell){.type = DB_INT, .n = x->kind};
    else
        narrow_cell(ctx, at, column < 2 ? column : column - 1, out);
}

static void
value_cell(const void *ctx, size_t at, unsigned column, struct db_cell *out)
{
    const struct value_row *x = (const struct value_row *)ctx + at;

    if (column == 1)
        *out = (struct db_cell){.type = DB_BLOB, .bytes = x->key};
    else
        *out = (struct db_cell){.type = DB_INT,
                                .n = column == 0   ? x->gen
                                     : column == 2 ? x->p
                                                   : x->audience};
}

static void
cell_number(struct db_cell *out, bool there, int64_t n)
{
    out->type = there ? DB_INT : DB_NULL;
    out->n = n;
}

static void
cell_bytes(struct db_cell *out, const void *p, size_t n)
{
    out->type = n > 0 ? DB_BLOB : DB_NULL;
    out->bytes = span_from(p, n);
}

/* In the order of ROW_COLUMNS and what follows them. */
static void
wide_cell(const void *ctx, size_t at, unsigned column, struct db_cell *out)
{
    const struct rows_wide *x = &((const struct wide_row *)ctx)[at].w;
    const struct row *r = &x->row;

    switch (column) {
    case 0:
        cell_number(out, true, (int64_t)r->p);
        break;
    case 1:
        cell_number(out, true, r->arrival_us);
        break;
    case 2:
        cell_number(out, true, r->audience);
        break;
    case 3:
        cell_number(out, true, (int64_t)r->seq);
        break;
    case 4:
        cell_number(out, true, r->flags);
        break;
    case 5:
        cell_number(out, true, (int64_t)r->ident);
        break;
    case 6:
        cell_number(out, true, r->type);
        break;
    case 7:
        cell_number(out, true, (int64_t)r->object);
        break;
    case 8:
        cell_number(out, r->has_time, r->modified.sec);
        break;
    case 9:
        cell_number(out, r->has_time, r->modified.nsec);
        break;
    case 10:
        cell_number(out, r->batch != 0, (int64_t)r->batch);
        break;
    case 11:
        cell_number(out, r->confidence >= 0, r->confidence);
        break;
    case 12:
        cell_number(out, true, r->stream);
        break;
    case 13:
        cell_number(out, true, (int64_t)r->entry);
        break;
    case 14:
        cell_bytes(out, x->at.d.b, sizeof x->at.d.b);
        break;
    case 15:
        cell_bytes(out, x->at.salt, sizeof x->at.salt);
        break;
    case 16:
        cell_number(out, true, (int64_t)x->group_version);
        break;
    case 17:
        cell_bytes(out, x->id.p, x->id.n);
        break;
    default:
        cell_bytes(out, x->bytes.p, x->bytes.n);
    }
}

static int
insert(struct store *s, const struct db_into *where, const struct db_rows *rows, struct err *e)
{
    if (s->drv->insert(s->d, where, rows, e) == 0)
        return 0;
    s->failed = true;
    return -1;
}

static int
flush_narrow(struct store *s, enum rows_table t, struct err *e)
{
    struct rows *r = s->rows;
    struct db_rows rows = {.cell = t == ROWS_EDGE ? edge_cell : narrow_cell};
    const size_t n = r->narrow[t].n;
    struct rows_narrow *list;

    if (n == 0)
        return 0;
    if (n > r->work_room && n >= RADIX_MIN) { /* without it, it is slower */
        mem_free(r->work);
        r->work = mem_alloc(r->narrow[t].room * sizeof *r->work);
        r->work_room = r->work ? r->narrow[t].room : 0;
    }
    list = sort_narrow(r, r->narrow[t].list, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_columns(&list[i], &list[rows.n - 1]) != 0)
            list[rows.n++] = list[i];
    rows.ctx = list;
    return insert(s, &into[t], &rows, e);
}

static int
flush_values(struct store *s, struct err *e)
{
    struct value_row *list = s->rows->values;
    struct db_rows rows = {.cell = value_cell, .ctx = list};
    const size_t n = s->rows->value_n;

    if (n == 0)
        return 0;
    qsort(list, n, sizeof *list, by_key);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_key(&list[i], &list[rows.n - 1]) != 0)
            list[rows.n++] = list[i];
    return insert(s, &into_value, &rows, e);
}

int
rows_flush_wide(struct store *s, struct err *e)
{
    struct db_rows rows = {.cell = wide_cell};

    if (!s->rows || s->rows->wide_n == 0)
        return 0;
    rows.ctx = s->rows->wide;
    rows.n = s->rows->wide_n;
    s->rows->wide_n = 0;
    return insert(s, &into_wide, &rows, e);
}

int
rows_flush(struct store *s, struct err *e)
{
    int rc;

    if (!s->rows)
        return 0;
    rc = rows_flush_wide(s, e);
    for (int t = 0; rc == 0 && t < ROWS_TABLES; t++)
        rc = flush_narrow(s, (enum rows_table)t, e);
    if (rc == 0)
        rc = flush_values(s, e);
    rows_drop(s);
    return rc;
}
