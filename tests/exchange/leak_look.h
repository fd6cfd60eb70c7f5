/* tests/exchange/leak_look.h - what the files that look share. */
#ifndef JAGA_TESTS_LEAK_LOOK_H
#define JAGA_TESTS_LEAK_LOOK_H

#include "leak_world.h"

struct m_asker look_taxii(const struct m_asker *k); /* the same one by TAXII */
const char *look_text(struct leak *l, int content);
const char *look_id(struct leak *l, int content);
bool look_is_type(struct leak *l, int content, const char *type);
const char *look_time(struct leak *l, int64_t us);
const char *look_version(struct leak *l, int content, int64_t date_us);
void look_newest_first(struct m_item *list, int n);
void look_fail(struct leak *l, const struct m_asker *k, const char *how, const char *what);
/* The last answer said that something is missing: one that never was is answered the same. */
void look_absent(struct leak *l, const struct m_asker *k, struct ask *q, const char *how);

/* leak_find.c */
void look_object(struct leak *l, const struct m_asker *k, int id, struct m_item *room);
void look_finds(struct leak *l, const struct m_asker *k, struct m_item *room);

#endif
