/* Any JSON: head and rules never fall over, and the tree and its canonical bytes tell the same. */
#include <stdint.h>
#include <stdlib.h>
#include "crypto.h"
#include "json.h"
#include "stix_check.h"
#include "stix_facts.h"
#include "stix_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct stix_check_options opt = {.info = true};
    struct json_parser *p = json_parser_new();
    struct arena *a = arena_new(256u << 20);
    const struct json *o = json_parse(p, span_from(data, n), a, NULL);
    struct err e = ERR_INIT;
    struct stix_report report;
    struct stix_defect why;
    struct stix_facts facts;
    struct stix_head head;
    struct buf b;

    buf_init(&b, 1u << 28);
    if (o != NULL && crypto_start(&e) == 0) {
        int refused = stix_head_read(o, &head, &why);
        if (refused == 0 && stix_check(o, &head, &opt, a, &report, &e) < 0)
            abort();
        json_canonical(o, &b);
        if (refused == 0 && head.class == STIX_BUNDLE)
            refused = -1;
        int failed = stix_facts_read(buf_view(&b), a, &facts, &e);
        if (failed != refused && e.code != ERR_LIMIT)
            abort();
        if (failed == 0 &&
            (!span_eq(facts.id.text, head.id.text) || facts.revoked != head.revoked ||
             !span_eq(stix_facts_version(&facts)->text, stix_head_version(&head)->text)))
            abort();
    }
    buf_clear(&b);
    arena_free(a);
    json_parser_free(p);
    return 0;
}
