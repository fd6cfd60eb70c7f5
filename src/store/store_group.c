/* Groups that are known by ids of their own, since several nodes speak of them. */
#include <string.h>

#include "store_impl.h"
#include "store_rights.h"

/* A group is known by the random id of its first generation. */
#define FIRST "(SELECT min(f.n) FROM generation f WHERE f.grp = g.grp)"

int
store_group_id(struct store *s, uint32_t group, uint8_t out[STORE_GROUP_ID], struct err *e)
{
    struct db_stmt *q;
    struct span v;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT g.random FROM generation g WHERE g.grp = ?1 ORDER BY g.n LIMIT 1",
                "i", (int64_t)group);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    v = rc == 1 ? sql_bytes(s, q, 0) : (struct span){NULL, 0};
    if (v.n == STORE_GROUP_ID)
        memcpy(out, v.p, v.n);
    if (rc == 1)
        sql_end(s, q);
    return v.n == STORE_GROUP_ID ? 0 : err_set(e, ERR_MISSING, "there is no such group");
}

int
store_group_known(struct store *s, const uint8_t id[STORE_GROUP_ID], uint32_t *number,
                  struct err *e)
{
    int64_t n = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    rc = sql_number(s, &n, e, "SELECT g.grp FROM generation g WHERE g.random = ?1 AND g.n = " FIRST,
                    "b", span_from(id, STORE_GROUP_ID));
    *number = (uint32_t)n;
    return rc;
}

int
store_generation_known(struct store *s, uint32_t group, const uint8_t id[STORE_GROUP_ID],
                       uint32_t *number, struct err *e)
{
    int64_t n = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    /* The last one: the first generation of a group made here has the group's own id. */
    rc = sql_number(s, &n, e, "SELECT max(n) FROM generation WHERE grp = ?1 AND random = ?2", "ib",
                    (int64_t)group, span_from(id, STORE_GROUP_ID));
    *number = (uint32_t)n;
    return rc;
}

static int
rename_generation(struct store *s, uint32_t n, const uint8_t id[STORE_GROUP_ID], struct err *e)
{
    return sql_do(s, e, "UPDATE generation SET random = ?2 WHERE n = ?1", "ib", (int64_t)n,
                  span_from(id, STORE_GROUP_ID));
}

int
store_group_as(struct store *s, struct store_group *g, const uint8_t id[STORE_GROUP_ID],
               struct err *e)
{
    uint32_t there;
    int rc = store_group_known(s, id, &there, e);

    if (rc != 0)
        return rc < 0 ? -1 : err_set(e, ERR_DUPLICATE, "there is a group of that id");
    g->r.number = 0;
    return store_group_put(s, g, e) < 0 ? -1 : rename_generation(s, g->r.generation, id, e);
}

int
store_generation_as(struct store *s, uint32_t group, const uint8_t id[STORE_GROUP_ID], bool current,
                    uint32_t *out, struct err *e)
{
    int64_t now = 0;

    if (store_need_write(s, e) < 0 ||
        sql_number(s, &now, e, "SELECT generation FROM grp WHERE n = ?1", "i", (int64_t)group) <
            0 ||
        store_generation_begin(s, group, out, e) < 0 || rename_generation(s, *out, id, e) < 0)
        return -1;
    if (current)
        return 0;
    return sql_do(s, e, "UPDATE grp SET generation = ?2 WHERE n = ?1", "ii", (int64_t)group, now);
}

int
store_group_leave(struct store *s, uint32_t group, uint32_t org, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    s->state.rights++;
    s->state_dirty = true;
    return sql_do(s, e,
                  "DELETE FROM member WHERE org = ?2 AND generation IN "
                  "(SELECT n FROM generation WHERE grp = ?1)",
                  "ii", (int64_t)group, (int64_t)org);
}
