/* exchange/index.c - what an object can be found by, from its bytes. */
#include "inside.h"

#include <stdlib.h>

#include "findable.h"
#include "fold.h"
#include "json.h"

/* The numbers are stored: never change one, only add. */
static const struct {
    uint32_t kind;
    const char *name;
} kinds[] = {
    {1, "source_ref"},
    {2, "target_ref"},
    {3, "sighting_of_ref"},
    {4, "observed_data_refs"},
    {5, "where_sighted_refs"},
    {6, "object_refs"},
    {7, "object_ref"},
    {8, "resolves_to_refs"},
    {9, "belongs_to_ref"},
    {10, "belongs_to_refs"},
    {11, "contains_refs"},
    {12, "parent_directory_ref"},
    {13, "content_ref"},
    {14, "src_ref"},
    {15, "dst_ref"},
    {16, "src_payload_ref"},
    {17, "dst_payload_ref"},
    {18, "encapsulates_refs"},
    {19, "encapsulated_by_ref"},
    {20, "from_ref"},
    {21, "sender_ref"},
    {22, "to_refs"},
    {23, "cc_refs"},
    {24, "bcc_refs"},
    {25, "raw_email_ref"},
    {26, "body_raw_ref"},
    {27, "opened_connection_refs"},
    {28, "creator_user_ref"},
    {29, "image_ref"},
    {30, "parent_ref"},
    {31, "child_refs"},
    {32, "service_dll_refs"},
    {33, "sample_refs"},
    {34, "sample_ref"},
    {35, "host_vm_ref"},
    {36, "operating_system_ref"},
    {37, "operating_system_refs"},
    {38, "installed_software_refs"},
    {39, "analysis_sco_refs"},
    {40, "tactic_refs"},
    {41, "x_mitre_modified_by_ref"},
};
#define KINDS      (sizeof kinds / sizeof kinds[0])
#define KIND_OTHER 65535u

uint32_t
edge_kind(struct span property)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (span_is(property, kinds[i].name))
            return kinds[i].kind;
    }
    return KIND_OTHER;
}

static int
cmp_edge(const void *x, const void *y)
{
    const struct store_edge *a = x, *b = y;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return span_cmp(a->id, b->id);
}

int
index_edges(const struct stix_facts *f, struct arena *a, struct store_index *out, struct err *e)
{
    size_t n = 0, count = f->ref_count + f->ext_count;
    struct store_edge *edges;

    out->creator = f->created_by;
    out->version = f->modified.text; /* what the entry's header commits to */
    if (count == 0)
        return 0;
    edges = arena_zero(a, count, sizeof *edges);
    if (edges == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < f->ref_count; i++)
        edges[i] = (struct store_edge){edge_kind(f->refs[i].name), f->refs[i].id};
    count = f->ref_count;
    for (size_t i = 0; i < f->ext_count; i++) {
        if (stix_id_is_extension(f->exts[i]))
            edges[count++] = (struct store_edge){EDGE_EXTENSION, f->exts[i]};
    }
    if (count == 0)
        return 0;
    qsort(edges, count, sizeof *edges, cmp_edge);
    for (size_t i = 0; i < count; i++) {
        if (n == 0 || cmp_edge(&edges[n - 1], &edges[i]) != 0)
            edges[n++] = edges[i];
    }
    out->edges = edges;
    out->edge_count = n;
    return 0;
}

int
index_rows(void *ctx, struct span bytes, struct arena *a, struct store_index *out, struct err *e)
{
    struct exchange *x = ctx;
    struct store_index row = {0};
    struct stix_facts facts;
    struct findable found;
    const struct json *tree;
    struct span *values;

    if (x->json == NULL && (x->json = json_parser_new()) == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (stix_facts_read(bytes, a, &facts, e) != 0 || index_edges(&facts, a, &row, e) != 0)
        return -1;
    tree = json_parse(x->json, bytes, a, e);
    if (tree == NULL || findable_read(tree, NULL, a, &found, e) != 0)
        return -1;
    values = arena_zero(a, found.value_count + 1, sizeof *values);
    if (values == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < found.value_count; i++)
        values[i] = found.values[i].key;
    row.values = values;
    row.value_count = found.value_count;
    row.labels = found.labels;
    row.label_count = found.label_count;
    row.texts = found.texts;
    row.text_count = found.text_count;
    *out = row;
    return 0;
}
