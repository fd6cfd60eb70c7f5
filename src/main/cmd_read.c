/* Reading: get, show, search, related, log, export. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "crypto.h"

#define EXPORT_PAGE 1000 /* objects of one question */

/* Fills the filter from the options; borrows from them. */
static int
read_filter(const struct session *s, struct ask_filter *f, struct err *e)
{
    const char *range = args_text(s, "confidence"), *batch = args_text(s, "batch");

    f->type = span_of(args_text(s, "type"));
    f->id = span_of(args_text(s, "id"));
    f->label = span_of(args_text(s, "label"));
    f->tlp = span_of(args_text(s, "tlp"));
    f->group = span_of(args_text(s, "group"));
    f->publisher = span_of(args_text(s, "publisher"));
    f->creator = span_of(args_text(s, "creator"));
    f->external = span_of(args_text(s, "external-id"));
    f->value = span_of(args_text(s, "value"));
    f->defect = span_of(args_text(s, "defect"));
    f->revoked = args_flag(s, "revoked");
    if (time_option(s, "since", &f->since_us, e) || time_option(s, "until", &f->until_us, e))
        return -1;
    if (batch && number_operand(batch, &f->batch, e))
        return err_place(e, "--batch");
    if (range) {
        struct span rest = span_of(range), low;
        uint64_t a, b;
        bool two = span_split(&rest, '-', &low) && rest.n > 0;
        if (!span_u64(low, 100, &a) || (two && !span_u64(rest, 100, &b)) || (two && b < a)) {
            (void)err_set(e, ERR_USAGE, "a number from 0 to 100, or two as 50-90");
            return err_place(e, "--confidence");
        }
        f->confidence = true;
        f->confidence_min = (uint8_t)a;
        f->confidence_max = (uint8_t)(two ? b : 100);
    }
    return 0;
}

int
cmd_get(struct session *s)
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    struct ask q = {
        .verb = ASK_GET, .id = span_of(s->args.operand[0]), .versions = args_flag(s, "versions")};
    const struct json *a = c ? client_ask(c, &q, &e) : NULL;
    int status = a ? EXIT_OK : fail(s, &e);

    if (a && !put_json(s, c)) {
        const struct json *list = json_get(a, "objects");
        for (const struct json *o = list ? list->child : NULL; o; o = o->next) {
            struct buf b;
            /* The stored bytes are canonical, so the canonical form of what came is they. */
            buf_init(&b, JSON_TEXT_MAX);
            json_canonical(o, &b);
            put_bytes(buf_view(&b));
            put("\n");
            buf_clear(&b);
        }
    }
    client_close(c);
    return put_end(s, status);
}

static void
put_relations(const struct json *list)
{
    for (const struct json *r = list ? list->child : NULL; r; r = r->next) {
        const struct json *row = json_get(r, "row");
        put("  %s ", span_is(json_text(r, "direction"), "in") ? "<-" : "->");
        put_clean(json_text(r, "kind"));
        put("  ");
        put_clean(json_text(r, "id"));
        if (row) {
            put("  ");
            put_clean(json_text(row, "name"));
        }
        put("\n");
    }
}

static void
put_shown(const struct json *a)
{
    const struct json *row = json_get(a, "row"), *list;

    put_line(row);
    put("\n");
    struct buf b;
    buf_init(&b, JSON_TEXT_MAX);
    const struct json *o = json_get(a, "object");
    for (const struct json *m = o ? o->child : NULL; m; m = m->next) {
        put("  ");
        put_clean(m->key);
        put(": ");
        if (m->type == JSON_STRING) {
            put_clean(m->text);
        } else {
            buf_reset(&b);
            json_canonical(m, &b);
            put_clean(buf_view(&b));
        }
        put("\n");
    }
    buf_clear(&b);
    list = json_get(a, "audiences");
    put("\npublished\n");
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        put("  ");
        put_when(json_text(m, "date_added"));
        put("  TLP:");
        put_clean(json_text(m, "label"));
        put(" ");
        put_clean(json_text(m, "group"));
        put(" by ");
        put_clean(json_text(m, "publisher"));
        put(": ");
        put_clean(json_text(m, "readers"));
        put("\n");
    }
    if ((list = json_get(a, "relations")) && list->child) {
        put("\nrelations\n");
        put_relations(list);
    }
    if ((list = json_get(a, "defects")) && list->child) {
        put("\ndefects\n");
        put_messages(list, "  ");
    }
}

int
cmd_show(struct session *s)
{
    struct ask q = {.verb = ASK_SHOW, .id = span_of(s->args.operand[0])};

    q.q.limit = 100;
    return ask_and_show(s, &q, put_shown);
}

static void
put_rows(const struct json *a)
{
    const struct json *list = json_get(a, "objects");

    for (const struct json *r = list ? list->child : NULL; r; r = r->next)
        put_line(r);
    if (!list || !list->child)
        (void)fputs("nothing found\n", stderr);
}

int
cmd_search(struct session *s)
{
    struct err e = ERR_INIT;
    struct ask q = {.verb = ASK_SEARCH};

    if (read_filter(s, &q.f, &e) || limit_option(s, 50, &q.q.limit, &e))
        return fail(s, &e);
    if (s->args.operands)
        q.f.text = span_of(s->args.operand[0]);
    return ask_and_show(s, &q, put_rows);
}

static void
put_related(const struct json *a)
{
    put_relations(json_get(a, "relations"));
}

int
cmd_related(struct session *s)
{
    struct err e = ERR_INIT;
    struct ask q = {.verb = ASK_RELATED, .id = span_of(s->args.operand[0])};

    if (limit_option(s, 100, &q.q.limit, &e))
        return fail(s, &e);
    return ask_and_show(s, &q, put_related);
}

static void
put_events(const struct json *a)
{
    const struct json *list = json_get(a, "events");

    for (const struct json *v = list ? list->child : NULL; v; v = v->next) {
        put_when(json_text(v, "time"));
        put("  ");
        put_clean(json_text(v, "what"));
        if (json_text(v, "version").n) {
            put("  version ");
            put_clean(json_text(v, "version"));
        }
        if (json_text(v, "label").n) {
            put("  TLP:");
            put_clean(json_text(v, "label"));
            put(" ");
            put_clean(json_text(v, "group"));
        }
        if (json_text(v, "by").n) {
            put("  by ");
            put_clean(json_text(v, "by"));
        }
        if (json_get(v, "batch"))
            put("  batch %lld", (long long)number_of(v, "batch"));
        put("\n");
    }
}

int
cmd_log(struct session *s)
{
    struct ask q = {.verb = ASK_LOG, .id = span_of(s->args.operand[0])};

    return ask_and_show(s, &q, put_events);
}

/* -- export
 * ---------------------------------------------------------------------------------------- */

enum format { BUNDLE, NDJSON, IDS };

struct export
{
    enum format format;
    FILE *out;
    bool some;
    struct buf space;
    uint64_t count;
};

static void
export_object(struct export *x, const struct json *o)
{
    if (x->format == IDS) {
        struct span id = json_text(o, "id");
        (void)fwrite(id.p, 1, id.n, x->out);
        (void)fputc('\n', x->out);
    } else {
        buf_reset(&x->space);
        json_canonical(o, &x->space);
        if (x->format == BUNDLE && x->some)
            (void)fputs(",\n", x->out);
        (void)fwrite(x->space.p, 1, x->space.n, x->out);
        if (x->format == NDJSON)
            (void)fputc('\n', x->out);
    }
    x->some = true;
    x->count++;
}

static int
export_pages(struct session *s, struct client *c, struct ask *q, struct export *x, struct err *e)
{
    char next[16384];
    struct progress p = {0};

    for (;;) {
        const struct json *a = client_ask(c, q, e);
        if (!a)
            return -1;
        const struct json *list = json_get(a, "objects");
        for (const struct json *o = list ? list->child : NULL; o; o = o->next)
            export_object(x, o);
        progress_line(s, &p, "export", x->count, 0, "objects");
        struct span n = json_text(a, "next");
        if (!true_of(a, "more") || n.n == 0)
            break;
        if (n.n >= sizeof next)
            return err_set(e, ERR_INTERNAL, "a next is too long");
        memcpy(next, n.p, n.n);
        q->q.next = span_from(next, n.n);
    }
    progress_end(&p);
    return 0;
}

static int
export_to(struct session *s, struct client *c, struct ask *q, struct export *x, struct err *e)
{
    struct uuid id;
    char text[UUID_TEXT + 1];

    if (x->format == BUNDLE) {
        if (crypto_start(e))
            return -1;
        uuid_v4(&id);
        uuid_print(&id, text);
        (void)fprintf(x->out, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"objects\":[\n", text);
    }
    if (export_pages(s, c, q, x, e))
        return -1;
    if (x->format == BUNDLE)
        (void)fputs("]}\n", x->out);
    if (fflush(x->out) || ferror(x->out))
        return err_set_sys(e, errno, "cannot write");
    return 0;
}

int
cmd_export(struct session *s)
{
    struct err e = ERR_INIT;
    struct export x = {.out = stdout};
    struct ask q = {.verb = ASK_EXPORT};
    const char *format = args_text(s, "format"), *file = args_text(s, "output");
    char tmp[4096];

    q.q.limit = EXPORT_PAGE;
    q.f.text = span_of(args_text(s, "text"));
    if (!format || strcmp(format, "bundle") == 0)
        x.format = BUNDLE;
    else if (strcmp(format, "ndjson") == 0)
        x.format = NDJSON;
    else if (strcmp(format, "ids") == 0)
        x.format = IDS;
    else {
        (void)err_set(&e, ERR_USAGE, "bundle, ndjson or ids");
        (void)err_place(&e, "--format");
        return fail(s, &e);
    }
    if (read_filter(s, &q.f, &e))
        return fail(s, &e);
    if (file) {
        (void)snprintf(tmp, sizeof tmp, "%.4000s.new", file);
        int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        x.out = fd < 0 ? NULL : fdopen(fd, "w");
        if (!x.out) {
            (void)err_set_sys(&e, errno, "cannot write");
            (void)err_place(&e, "%.150s", tmp);
            return fail(s, &e);
        }
    }
    /* The data folder becomes the current one, so a relative name is finished by its descriptor's
     * folder: remember it. */
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_init(&x.space, JSON_TEXT_MAX);
    struct client *c = client_open(s, &e);
    int status = c && export_to(s, c, &q, &x, &e) == 0 ? EXIT_OK : fail(s, &e);
    if (file) {
        if (status == EXIT_OK && (fsync(fileno(x.out)) || renameat(here, tmp, here, file))) {
            (void)err_set_sys(&e, errno, "cannot write");
            status = fail(s, &e);
        }
        if (status != EXIT_OK)
            (void)unlinkat(here, tmp, 0);
        (void)fclose(x.out);
    }
    if (here >= 0)
        (void)close(here);
    if (status == EXIT_OK)
        say(s, "%llu objects", (unsigned long long)x.count);
    buf_clear(&x.space);
    client_close(c);
    return file ? status : put_end(s, status);
}
