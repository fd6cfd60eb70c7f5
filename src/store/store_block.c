#include "store_block.h"

#include <endian.h>
#include <string.h>

#include "mem.h"
#include "store_rows.h"

struct block {
    uint64_t n;
    char cells[BLOCK_BYTES];
};

void
block_free(struct block *b)
{
    mem_free(b);
}

static void
cell_set(char *cells, uint32_t at, uint32_t audience, uint32_t type)
{
    const uint32_t a = htole32(audience);
    const uint16_t t = htole16((uint16_t)type);

    memcpy(cells + 4 * (size_t)at, &a, sizeof a);
    memcpy(cells + 4 * (size_t)BLOCK_ROWS + 2 * (size_t)at, &t, sizeof t);
}

uint32_t
block_audience(struct span cells, uint32_t at)
{
    uint32_t a;

    memcpy(&a, cells.p + 4 * (size_t)at, sizeof a);
    return le32toh(a);
}

uint32_t
block_type(struct span cells, uint32_t at)
{
    uint16_t t;

    memcpy(&t, cells.p + 4 * (size_t)BLOCK_ROWS + 2 * (size_t)at, sizeof t);
    return le16toh(t);
}

/* The cells of the unfinished block from the rows themselves: after a start or an abort. */
static int
block_again(struct store *s, uint64_t p, struct err *e)
{
    struct block *b = mem_zero(1, sizeof *b);
    const uint64_t from = p >> BLOCK_SHIFT << BLOCK_SHIFT;
    struct db_stmt *q;
    int rc;

    if (!b)
        return err_set(e, ERR_MEMORY, "no memory for a block");
    b->n = p >> BLOCK_SHIFT;
    s->block = b;
    if (rows_flush_wide(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT p, audience, type FROM publication WHERE p >= ?1 AND p < ?2", "ii",
                (int64_t)from, (int64_t)p);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1)
        cell_set(b->cells, (uint32_t)sql_int(s, q, 0) & (BLOCK_ROWS - 1),
                 (uint32_t)sql_int(s, q, 1), (uint32_t)sql_int(s, q, 2));
    return rc;
}

int
block_put(struct store *s, uint64_t p, uint32_t audience, uint32_t type, struct err *e)
{
    struct block *b;

    if (!s->block && block_again(s, p, e) < 0)
        return -1;
    b = s->block;
    cell_set(b->cells, (uint32_t)p & (BLOCK_ROWS - 1), audience, type);
    if ((p & (BLOCK_ROWS - 1)) != BLOCK_ROWS - 1)
        return 0;
    if (sql_do(s, e, "INSERT INTO block (n, cells) VALUES (?1, ?2)", "ib", (int64_t)b->n,
               span_from(b->cells, sizeof b->cells)) < 0)
        return -1;
    memset(b->cells, 0, sizeof b->cells);
    b->n++;
    return 0;
}

int
block_get(struct store *s, uint64_t n, struct db_stmt **q, struct span *cells, struct err *e)
{
    struct db_stmt *b = sql_ask(s, e, "SELECT cells FROM block WHERE n = ?1", "i", (int64_t)n);
    int rc;

    if (!b || (rc = sql_step(s, b, e)) <= 0)
        return b ? rc : -1;
    *cells = sql_bytes(s, b, 0);
    if (cells->n != BLOCK_BYTES) {
        sql_end(s, b);
        return err_set(e, ERR_CORRUPT, "a block has a wrong size");
    }
    *q = b;
    return 1;
}
