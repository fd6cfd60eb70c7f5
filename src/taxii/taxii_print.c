/* taxii/taxii_print.c - the resources of TAXII 2.1 as JSON texts. */
#include "taxii_print.h"

#include "clock.h"

#define TAXII_VERSION "application/taxii+json;version=2.1"
#define MS_US         1000

void
taxii_time(int64_t us, char out[TAXII_TIME_MAX])
{
    instant_print(instant_from_us(us), 6, out);
}

int64_t
taxii_date_last(int64_t last_us, bool more_in_it)
{
    int64_t rest = last_us % MS_US;

    return more_in_it || rest == 0 ? last_us : last_us - rest + MS_US;
}

static void
optional(struct json_out *o, const char *name, struct span s)
{
    if (s.n > 0)
        json_member(o, name, s);
}

static void
member_time(struct json_out *o, const char *name, int64_t us)
{
    char t[TAXII_TIME_MAX];

    taxii_time(us, t);
    json_member_str(o, name, t);
}

void
taxii_print_discovery(struct buf *out, const struct taxii_text *t, const struct span *roots,
                      size_t n)
{
    struct json_out o;

    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "title", t->title);
    optional(&o, "description", t->description);
    optional(&o, "contact", t->contact);
    if (n > 0) {
        json_member(&o, "default", roots[0]);
        json_name(&o, "api_roots");
        json_begin_array(&o);
        for (size_t i = 0; i < n; i++)
            json_string(&o, roots[i]);
        json_end_array(&o);
    }
    json_end_object(&o);
}

void
taxii_print_root(struct buf *out, const struct taxii_text *t, uint64_t max_content_length)
{
    struct json_out o;

    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "title", t->title);
    optional(&o, "description", t->description);
    json_name(&o, "versions");
    json_begin_array(&o);
    json_str(&o, TAXII_VERSION);
    json_end_array(&o);
    json_name(&o, "max_content_length");
    json_uint(&o, max_content_length);
    json_end_object(&o);
}

void
taxii_put_collection(struct json_out *o, const struct taxii_collection *c)
{
    json_begin_object(o);
    json_member(o, "id", c->id);
    json_member(o, "title", c->title);
    optional(o, "description", c->description);
    optional(o, "alias", c->alias);
    json_member_bool(o, "can_read", c->can_read);
    json_member_bool(o, "can_write", c->can_write);
    json_name(o, "media_types");
    json_begin_array(o);
    json_str(o, STIX_MEDIA);
    json_end_array(o);
    json_end_object(o);
}

void
taxii_put_manifest(struct json_out *o, struct span id, int64_t added_us, struct span version)
{
    json_begin_object(o);
    json_member(o, "id", id);
    member_time(o, "date_added", added_us);
    json_member(o, "version", version);
    json_member_str(o, "media_type", STIX_MEDIA);
    json_end_object(o);
}

static void
put_items(struct json_out *o, const char *count, const char *list, const struct taxii_item *v,
          size_t n)
{
    json_member_int(o, count, (int64_t)n);
    if (n == 0)
        return;
    json_name(o, list);
    json_begin_array(o);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(o);
        json_member(o, "id", v[i].id);
        json_member(o, "version", v[i].version);
        optional(o, "message", v[i].message);
        json_end_object(o);
    }
    json_end_array(o);
}

void
taxii_print_status(struct buf *out, const struct taxii_status *s)
{
    struct json_out o;

    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "id", s->id);
    json_member_str(&o, "status", s->complete ? "complete" : "pending");
    if (s->requested_us != 0)
        member_time(&o, "request_timestamp", s->requested_us);
    json_member_int(&o, "total_count", (int64_t)(s->success_n + s->failure_n + s->pending_n));
    put_items(&o, "success_count", "successes", s->successes, s->success_n);
    put_items(&o, "failure_count", "failures", s->failures, s->failure_n);
    put_items(&o, "pending_count", "pendings", s->pendings, s->pending_n);
    json_end_object(&o);
}

void
taxii_print_error(struct buf *out, const struct taxii_error *t)
{
    char status[16];
    struct buf number;
    struct json_out o;

    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "title", t->title);
    optional(&o, "description", t->description);
    optional(&o, "error_id", t->error_id);
    optional(&o, "error_code", t->error_code);
    if (t->http_status != 0) {
        /* Section 3.6.1: http_status is a string. */
        buf_init_fixed(&number, status, sizeof status);
        buf_decimal(&number, t->http_status);
        json_member(&o, "http_status", buf_view(&number));
    }
    json_end_object(&o);
}
